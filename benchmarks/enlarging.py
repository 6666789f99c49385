"""Photos and their segmentation maps at the size of DeepFashion's, from smaller ones."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

QUALITY = 90
NOISE = 3.0  # of 255: enlarged photos are smooth, and decode faster than real ones


def enlarge(source: Path, target: Path, width: int, n_photos: int, seed: int) -> None:
    """Copy a folder with its first photos (0: all) and their maps `width` pixels wide."""
    shutil.rmtree(target, ignore_errors=True)
    rng = np.random.default_rng(seed)
    photos = sorted(source.rglob("*.jpg"))[: n_photos or None]
    for photo in photos:
        path = _copied(photo, source, target)
        _enlarged_photo(photo, width, rng).save(path, "JPEG", quality=QUALITY)
    stems = {photo.stem for photo in photos}
    for segmentation_map in sorted(source.rglob("*_segm.png")):
        if segmentation_map.stem.removesuffix("_segm") in stems:
            with Image.open(segmentation_map) as image:
                enlarged = image.resize(_size(image, width), Image.Resampling.NEAREST)
            enlarged.save(_copied(segmentation_map, source, target))
    for manifest in source.glob("manifest.csv"):
        shutil.copy(manifest, target)


def _copied(path: Path, source: Path, target: Path) -> Path:
    copied = target / path.relative_to(source)
    copied.parent.mkdir(parents=True, exist_ok=True)
    return copied


def _enlarged_photo(path: Path, width: int, rng: np.random.Generator) -> Image.Image:
    with Image.open(path) as file:
        photo = file.convert("RGB")
    enlarged = photo.resize(_size(photo, width), Image.Resampling.LANCZOS)
    pixels = np.asarray(enlarged, dtype=np.float32)
    noisy = pixels + NOISE * rng.standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
    return Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))


def _size(image: Image.Image, width: int) -> tuple[int, int]:
    return width, round(image.height * width / image.width)
