"""Drawn photos whose garments are known."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

PALETTE = {
    "null": [0, 0, 0],
    "skin": [144, 238, 144],
    "shirt": [165, 107, 87],
    "jeans": [185, 225, 82],
}


def packshot(garment: int, backdrop: int = 255, noise: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(224, 168, 3) uint8 of a shirt as light as `garment` on a backdrop, and its bool mask.

    Its chest holds a spot that is exactly as light as the backdrop.
    """
    outline = np.array([[40, 40], [70, 30], [98, 30], [128, 40], [150, 90], [125, 100]])
    outline = np.concatenate([outline, [[122, 190], [46, 190], [43, 100], [18, 90]]])
    mask = cv2.fillPoly(np.zeros((224, 168), np.uint8), [outline], 1).astype(bool)
    photo = np.full((224, 168, 3), backdrop, np.int16)
    photo[mask] = garment
    photo[90:110, 70:95] = backdrop
    rng = np.random.default_rng(0)
    photo += rng.integers(-noise, noise + 1, photo.shape, dtype=np.int16) if noise else 0
    return np.clip(photo, 0, 255).astype(np.uint8), mask


def street_photo(seed: int, size: tuple[int, int] = (48, 64)) -> tuple[np.ndarray, np.ndarray]:
    """A figure in shirt and jeans before a noisy wall: (h, w, 3) uint8 and its labels (h, w)."""
    width, height = size
    rng = np.random.default_rng(seed)
    photo = rng.integers(90, 130, (height, width, 3), dtype=np.uint8)
    labels = np.zeros((height, width), np.uint8)
    left, right = width // 3, 2 * width // 3
    for label, (top, bottom), color in (
        (1, (0.1, 0.25), (220, 180, 150)),
        (2, (0.25, 0.55), (200, 30, 40)),
        (3, (0.55, 0.9), (30, 40, 160)),
    ):
        rows = slice(int(top * height), int(bottom * height))
        photo[rows, left:right], labels[rows, left:right] = color, label
    return photo, labels


def write_street_photos(folder: Path, n_photos: int, first: int = 0) -> Path:
    """A folder as DeepFashion's downloads are, with a palette."""
    colors = np.array(list(PALETTE.values()), np.uint8)
    for name in ("images", "segm"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(first, first + n_photos):
        photo, labels = street_photo(number)
        stem = f"WOMEN-Pants-id_{number:08d}-01_4_full"
        Image.fromarray(photo).save(folder / "images" / f"{stem}.jpg", quality=95)
        Image.fromarray(colors[labels]).save(folder / "segm" / f"{stem}_segm.png")
    (folder / "palette.json").write_text(str(PALETTE).replace("'", '"'))
    return folder
