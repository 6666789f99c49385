"""Copies of a photo as shops have them: saved anew, cropped, resized, on another background."""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

MAX_CROP = 0.08  # of each side
SCALES = (0.5, 0.6, 0.75, 1.5, 2.0)
QUALITIES = (25, 35, 50, 60)
FLOOD_TOLERANCE = 6  # of 255 between neighbours: what a cut-out by hand would call one background


def saved_anew(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """With what a low JPEG quality leaves."""
    return _through_jpeg(photo, int(rng.choice(QUALITIES)))


def cropped(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Up to 8% cut off at each side."""
    left, top, right, bottom = rng.uniform(0, MAX_CROP, 4)
    width, height = photo.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return _through_jpeg(photo.crop([round(side) for side in box]), 90)


def resized(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """From half to twice as wide."""
    scale = float(rng.choice(SCALES))
    size = [round(scale * side) for side in photo.size]
    return _through_jpeg(photo.resize(size, Image.Resampling.BICUBIC), 85)


def on_another_background(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Any colour instead of what the corners are flooded with, softly at the garment's edge.

    Not the search's own way to find a background, which would flatter it.
    """
    rgb = np.asarray(photo).copy()
    mask = np.zeros((rgb.shape[0] + 2, rgb.shape[1] + 2), np.uint8)
    tolerance = (FLOOD_TOLERANCE,) * 3
    for x in (0, rgb.shape[1] - 1):
        for y in (0, rgb.shape[0] - 1):
            flags = 4 | cv2.FLOODFILL_MASK_ONLY | (255 << 8)
            cv2.floodFill(rgb.copy(), mask, (x, y), 0, tolerance, tolerance, flags)
    share = cv2.GaussianBlur(np.float32(mask[1:-1, 1:-1] > 0), (3, 3), 0)[..., None]
    color = rng.integers(0, 256, 3)
    return _through_jpeg(Image.fromarray(np.uint8(rgb * (1 - share) + color * share)), 85)


COPIES: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "saved_anew": saved_anew,
    "cropped": cropped,
    "resized": resized,
    "on_another_background": on_another_background,
}


def _through_jpeg(photo: Image.Image, quality: int) -> Image.Image:
    buffer = BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")
