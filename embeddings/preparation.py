"""From a photo's files to what an encoder takes; any thread may do it, and no database is asked."""

from contextlib import ExitStack
from typing import IO

import numpy as np

from catalog.models import ProductImage
from embeddings.encoders import Encoder
from embeddings.masks import MaskError, MaskSettings, garment_coverage
from embeddings.photos import PhotoError, read_reduced, read_segmentation_map
from embeddings.querysets import MaskMethod


def prepare_photo(
    image: ProductImage, encoder: Encoder, settings: MaskSettings
) -> np.ndarray | str:
    """The input of a photo with its `mask_method`, or the reason why there is none."""
    try:
        with ExitStack() as files:
            photo = files.enter_context(image.image.storage.open(image.image.name))
            segmentation_map = None
            if image.mask_method == MaskMethod.SEGMENTATION_MAP:
                stored = image.segmentation_map
                segmentation_map = files.enter_context(stored.storage.open(stored.name))
            return prepare_files(photo, segmentation_map, encoder, settings)
    except FileNotFoundError as error:
        return f"file missing: {error.filename}"
    except (PhotoError, MaskError) as error:
        return str(error)
    except (OSError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


def prepare_files(
    photo: IO[bytes], segmentation_map: IO[bytes] | None, encoder: Encoder, settings: MaskSettings
) -> np.ndarray:
    """The input of a photo, masked where it has a map.

    Raises:
        PhotoError: either cannot be read.
        MaskError: the map leaves no garment.
    """
    decoded = read_reduced(photo, encoder.decode_side)
    coverage = None
    if segmentation_map is not None:
        coverage = garment_coverage(read_segmentation_map(segmentation_map), decoded, settings)
    return encoder.prepare(decoded, coverage, settings)
