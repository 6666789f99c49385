"""From a photo's files to what an encoder takes; any thread may do it, and no database is asked."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

import cv2
import numpy as np
from PIL import Image

from catalog.models import ProductImage
from embeddings.encoders import Encoder
from embeddings.garments.classes import Color, map_classes
from embeddings.garments.finding import FinderSettings, find_garments
from embeddings.garments.regions import garment_regions, square_around
from embeddings.mask_settings import garment_palette, method_finders
from embeddings.masks import MaskError, MaskSettings, garment_coverage
from embeddings.photos import DecodedPhoto, PhotoError, read_reduced, read_segmentation_map
from embeddings.querysets import FOUND_METHODS, MaskMethod


@dataclass(frozen=True)
class PreparedGarment:
    """The input of one garment of a photo, its slot, and its box in fractions of the photo."""

    region: str
    box: list[float]
    values: np.ndarray


@dataclass(frozen=True)
class Prepared:
    """A photo's input, which mask method found its garment, and the garments' own inputs."""

    values: np.ndarray
    found_by: str
    garments: tuple[PreparedGarment, ...] = ()


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
                if (palette := garment_palette()) is not None:
                    return prepare_mapped(photo, segmentation_map, encoder, settings, palette)
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
    garments = ()
    if finders.tells_garments and found.classes is not None:
        garments = _garments(decoded, found.classes, encoder, settings)
    return Prepared(encoder.prepare(decoded, coverage, settings), found.method, garments)


def prepare_mapped(
    photo: IO[bytes],
    segmentation_map: IO[bytes],
    encoder: Encoder,
    settings: MaskSettings,
    palette: dict[str, Color],
) -> Prepared:
    """The input of a photo with a map, and those of the garments that its labels tell apart.

    Raises:
        PhotoError: either cannot be read.
        MaskError: the map leaves no garment.
    """
    decoded = read_reduced(photo, encoder.decode_side)
    colors = read_segmentation_map(segmentation_map)
    values = encoder.prepare(decoded, garment_coverage(colors, decoded, settings), settings)
    classes = map_classes(colors, palette)
    classes = cv2.resize(classes, decoded.image.size, interpolation=cv2.INTER_NEAREST)
    garments = _garments(decoded, classes, encoder, settings)
    return Prepared(values, MaskMethod.SEGMENTATION_MAP, garments)


def _garments(
    decoded: DecodedPhoto, classes: np.ndarray, encoder: Encoder, settings: MaskSettings
) -> tuple[PreparedGarment, ...]:
    """An input for each garment of a parse, which is (height, width) as the decoded photo."""
    pixels = np.asarray(decoded.image)
    return tuple(
        PreparedGarment(
            region.name,
            region.relative_box,
            encoder.prepare(*square_photo(pixels, region.mask), settings),
        )
        for region in garment_regions(classes)
    )


def square_photo(pixels: np.ndarray, mask: np.ndarray) -> tuple[DecodedPhoto, np.ndarray]:
    """The square around a mask as a photo, and its coverage."""
    square, shown = square_around(pixels, mask)
    image = Image.fromarray(square)
    return DecodedPhoto(image, image.size), shown.view(np.uint8) * np.uint8(255)
