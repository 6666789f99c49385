"""Small photos for tests that embed: each with edges and colours of its own."""

import io

import numpy as np
from PIL import Image

GARMENT, BACKGROUND = (165, 107, 87), (0, 0, 0)


def photo_of(seed: int, size: tuple[int, int] = (24, 32)) -> bytes:
    """A PNG of seeded coarse noise; size is (width, height) in pixels."""
    values = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    return as_png(Image.fromarray(values).resize(size, Image.Resampling.NEAREST))


def map_with_garment(size: tuple[int, int] = (24, 32)) -> bytes:
    """A segmentation map whose middle is garment."""
    colors = np.full((size[1], size[0], 3), BACKGROUND, np.uint8)
    colors[size[1] // 4 : -size[1] // 4, size[0] // 4 : -size[0] // 4] = GARMENT
    return as_png(Image.fromarray(colors))


def map_without_garment(size: tuple[int, int] = (24, 32)) -> bytes:
    """A segmentation map that is all background."""
    return as_png(Image.new("RGB", size, BACKGROUND))


def as_png(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
