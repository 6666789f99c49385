"""From a photo's files to what an encoder takes; any thread may do it, and no database is asked."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

import numpy as np

from catalog.models import ProductImage
from embeddings.encoders import Encoder
from embeddings.garments.finding import FinderSettings, find_garments
from embeddings.mask_settings import method_finders
from embeddings.masks import MaskError, MaskSettings, garment_coverage
from embeddings.photos import PhotoError, read_reduced, read_segmentation_map
from embeddings.querysets import FOUND_METHODS, MaskMethod


@dataclass(frozen=True)
class Prepared:
    """A photo's input, and which mask method found its garment."""

    values: np.ndarray
    found_by: str


def prepare_photo(image: ProductImage, encoder: Encoder, settings: MaskSettings) -> Prepared | str:
    """The input of a photo with its `mask_method`, or the reason why there is none.

    Raises:
        WeightsUnavailable: a network that finds garments cannot be loaded.
    """
    method = image.mask_method
    try:
        with ExitStack() as files:
            photo = files.enter_context(image.image.storage.open(image.image.name))
            if method in FOUND_METHODS:
                finders = method_finders(None if method == MaskMethod.AUTOMATIC else method)
                return prepare_found(photo, encoder, settings, finders)
            segmentation_map = None
            if method == MaskMethod.SEGMENTATION_MAP:
                stored = image.segmentation_map
                segmentation_map = files.enter_context(stored.storage.open(stored.name))
            return Prepared(prepare_files(photo, segmentation_map, encoder, settings), method)
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


def prepare_found(
    photo: IO[bytes], encoder: Encoder, settings: MaskSettings, finders: FinderSettings
) -> Prepared:
    """The input of a photo, masked by what is found in it; whole where nothing is.

    Raises:
        PhotoError: it cannot be read.
        WeightsUnavailable: a network that finds garments cannot be loaded.
    """
    decoded = read_reduced(photo, encoder.decode_side)
    found = find_garments(np.asarray(decoded.image), finders)
    if found is None:
        return Prepared(encoder.prepare(decoded, None, settings), MaskMethod.NONE)
    coverage = found.mask.view(np.uint8) * np.uint8(255)
    return Prepared(encoder.prepare(decoded, coverage, settings), found.method)
