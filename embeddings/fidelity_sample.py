"""Photos of the catalogue that faster ways to embed are measured on."""

import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np
from django.db.models import Exists, OuterRef
from PIL import Image

from catalog.models import ProductImage
from embeddings.encoders import DECODE_SIDE, Encoder
from embeddings.mask_settings import current_mask_settings
from embeddings.models import Backbone, Embedding
from embeddings.nets import fidelity
from embeddings.photos import read_photo
from embeddings.preparation import prepare_files, prepare_photo
from embeddings.querysets import MaskMethod, best_mask_method

SAMPLE_SIZE = 256
DECODING_SAMPLE_SIZE = 32
ENLARGED_SIDE = 750  # of DeepFashion's photos, which are 750 x 1101
ENLARGED_QUALITY = 90


def sample_photos(backbone: Backbone, n_photos: int = SAMPLE_SIZE) -> list[ProductImage]:
    """Active photos with their product and `mask_method`, the same in every process.

    In the order of their content's hash, which is as good as drawn. Photos that failed, or that a
    process may have died over, are left out.
    """
    doubtful = Embedding.objects.of(backbone).filter(image=OuterRef("pk")).exclude(state="ready")
    photos = ProductImage.objects.active().filter(~Exists(doubtful))
    photos = photos.annotate(mask_method=best_mask_method()).select_related("product")
    return list(photos.order_by("sha256", "pk")[:n_photos])


def prepare_all(
    photos: list[ProductImage], encoder: Encoder
) -> tuple[list[ProductImage], list[np.ndarray]]:
    """The photos that can be read, and their inputs."""
    settings = current_mask_settings()
    inputs = _in_threads(lambda photo: prepare_photo(photo, encoder, settings), photos)
    pairs = [pair for pair in zip(photos, inputs, strict=True) if not isinstance(pair[1], str)]
    return [photo for photo, _ in pairs], [item.values for _, item in pairs]


def decoding_cosines(
    photos: list[ProductImage], reference: Encoder, reduced: Encoder
) -> np.ndarray:
    """Cosines between embeddings of photos decoded smaller and in full, by the reference's network.

    Photos too small to be decoded smaller are enlarged to DeepFashion's size first, as larger ones
    may come.
    """
    settings = current_mask_settings()
    files = _in_threads(_large_files, photos[:DECODING_SAMPLE_SIZE])
    features = [
        reference.encode([prepare_files(*_opened(pair), way, settings) for pair in files])
        for way in (reference, reduced)
    ]
    return fidelity.cosines(*features)


def _large_files(image: ProductImage) -> tuple[bytes, bytes | None]:
    """The photo as a JPEG of at least twice `DECODE_SIDE`, and its map where it has one."""
    with image.image.storage.open(image.image.name) as file:
        content = file.read()
    photo = read_photo(io.BytesIO(content))
    shorter = min(photo.size)
    if shorter < 2 * DECODE_SIDE:
        size = tuple(round(ENLARGED_SIDE * side / shorter) for side in photo.size)
        enlarged = io.BytesIO()
        photo.resize(size, Image.Resampling.LANCZOS).save(
            enlarged, "JPEG", quality=ENLARGED_QUALITY
        )
        content = enlarged.getvalue()
    return content, _map_content(image)


def _map_content(image: ProductImage) -> bytes | None:
    """The map, which is scaled to its photo by whoever reads it."""
    if image.mask_method != MaskMethod.SEGMENTATION_MAP:
        return None
    stored = image.segmentation_map
    with stored.storage.open(stored.name) as file:
        return file.read()


def _opened(files: tuple[bytes, bytes | None]) -> tuple[io.BytesIO, io.BytesIO | None]:
    photo, segmentation_map = files
    return io.BytesIO(photo), None if segmentation_map is None else io.BytesIO(segmentation_map)


def _in_threads(function: Callable[[ProductImage], object], items: Iterable[ProductImage]) -> list:
    with ThreadPoolExecutor(max_workers=cpu_count()) as threads:
        return list(threads.map(function, items))
