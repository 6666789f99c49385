"""Photos with their maps as arrays of one size, decoded once and kept in a cache."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from embeddings.garments.classes import Color, body_table, class_table, map_labels
from embeddings.photo_sets import LabelledPhoto, PhotoSetError

SIDE = 256  # pixels of the longer side, as kept
BODY = 8  # the code of skin and hair, which are cut out with a person and trained as background
OUTSIDE = 255  # the code of what the photo does not reach
VERSION = 1  # of the cache's content

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Examples:
    """Photos and what their pixels show; both lie at the top left of their square.

    `images` is (n, SIDE, SIDE, 3) uint8 RGB; `codes` is (n, SIDE, SIDE) uint8: a `GarmentClass`,
    `BODY` or `OUTSIDE`.
    """

    images: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def example(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """One photo and its codes, both (height, width, ...), without what lies outside."""
        codes = self.codes[position]
        height = int((codes[:, 0] != OUTSIDE).sum())
        width = int((codes[0] != OUTSIDE).sum())
        return self.images[position, :height, :width], codes[:height, :width]


def read_examples(
    photos: Sequence[LabelledPhoto],
    palette: dict[str, Color],
    cache: Path,
    on_progress: Progress | None = None,
) -> Examples:
    """The photos with their maps, from `cache` where they were decoded before.

    Raises:
        PhotoSetError: a photo without a map.
    """
    without = [photo.path.name for photo in photos if photo.segmentation_map is None]
    if without or not photos:
        raise PhotoSetError(f"expected photos with maps; without one: {', '.join(without[:5])}")
    kept = cache / f"parsing-{_fingerprint(photos, palette)}.npz"
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        decoded = _decode_all(photos, palette, on_progress)
        partial = kept.with_suffix(".part.npz")
        np.savez(partial, images=decoded.images, codes=decoded.codes)
        partial.replace(kept)
    with np.load(kept) as arrays:
        return Examples(arrays["images"], arrays["codes"])


def read_backdrops(
    photos: Sequence[LabelledPhoto], cache: Path, on_progress: Progress | None = None
) -> np.ndarray:
    """Photos whose edges serve as backdrops, (n, SIDE, SIDE, 3) uint8, stretched to squares."""
    kept = cache / f"backdrops-{_fingerprint(photos, {})}.npy"
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        images = np.empty((len(photos), SIDE, SIDE, 3), np.uint8)
        for position, photo in enumerate(photos):
            with Image.open(photo.path) as image:
                images[position] = np.asarray(image.convert("RGB").resize((SIDE, SIDE)))
            if on_progress:
                on_progress(position + 1, len(photos))
        partial = kept.with_suffix(".part.npy")
        np.save(partial, images)
        partial.replace(kept)
    return np.load(kept, mmap_mode="r")


def _decode_all(
    photos: Sequence[LabelledPhoto], palette: dict[str, Color], on_progress: Progress | None
) -> Examples:
    images = np.zeros((len(photos), SIDE, SIDE, 3), np.uint8)
    codes = np.full((len(photos), SIDE, SIDE), OUTSIDE, np.uint8)
    for position, photo in enumerate(photos):
        image, code = _decode(photo, palette)
        height, width = code.shape
        images[position, :height, :width] = image
        codes[position, :height, :width] = code
        if on_progress:
            on_progress(position + 1, len(photos))
    return Examples(images, codes)


def _decode(photo: LabelledPhoto, palette: dict[str, Color]) -> tuple[np.ndarray, np.ndarray]:
    with Image.open(photo.path) as image, Image.open(photo.segmentation_map) as segmentation_map:
        pixels = np.asarray(image.convert("RGB"))
        labels = map_labels(segmentation_map, palette)
    codes = np.where(body_table(palette), BODY, class_table(palette)).astype(np.uint8)[labels]
    factor = SIDE / max(pixels.shape[:2])
    size = tuple(max(1, round(side * factor)) for side in pixels.shape[1::-1])
    shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return shrunk, cv2.resize(codes, size, interpolation=cv2.INTER_NEAREST)


def _fingerprint(photos: Sequence[LabelledPhoto], palette: dict[str, Color]) -> str:
    """Changes with the photos' names, sizes and times, the palette, and what is made of them."""
    files = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for photo in photos
        for path in (photo.path, photo.segmentation_map)
        if path is not None
    ]
    classes = class_table(palette).tolist() if palette else []
    content = json.dumps([VERSION, SIDE, files, palette, classes])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
