"""Augmented views of photos, and the frozen trunk's activations of them, computed once.

The frozen part of the trunk does not change, so each photo has a few views whose activations are
stored, and an epoch takes one of them at random.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from embeddings.nets.label_network import COLOR_GRID

OnStep = Callable[[str, int, int], None]
Stem = Callable[[np.ndarray], np.ndarray]  # (n, side, side, 3) uint8 -> (n, channels, h, w)
SMALLEST_AREA = 0.5  # of the photo that a view shows
AS_IT_IS, MIRRORED = "as it is", "mirrored"  # views that are not drawn at random
LARGEST_STRETCH = 1.3  # of its sides against each other
LARGEST_GAIN = 0.12  # of brightness and contrast; more would change a colour's name
CHUNK = 64


@dataclass(frozen=True)
class View:
    """What the trained part takes of photos, in the order of the photos."""

    stem: np.ndarray  # (n, channels, h, w) float16, on disk
    cells: np.ndarray  # (n, 32, 32, 3) uint8: mean colours


def augmented(photo: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random piece of (h, w, 3) uint8, perhaps mirrored, a little lighter or darker."""
    height, width = photo.shape[:2]
    area = rng.uniform(SMALLEST_AREA, 1.0)
    stretch = np.exp(rng.uniform(-1, 1) * np.log(LARGEST_STRETCH) / 2)
    h = min(height, round(height * area**0.5 * stretch))
    w = min(width, round(width * area**0.5 / stretch))
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    piece = scaled(photo[top : top + h, left : left + w], side)
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    contrast, brightness = 1 + rng.uniform(-LARGEST_GAIN, LARGEST_GAIN, 2)
    values = (piece.astype(np.float32) - 128) * contrast + 128 * brightness
    return values.round().clip(0, 255).astype(np.uint8)


def scaled(photo: np.ndarray, side: int) -> np.ndarray:
    """(side, side, 3)."""
    return cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)


def color_cells(photos: np.ndarray) -> np.ndarray:
    """(n, side, side, 3) uint8 -> (n, 32, 32, 3) uint8 mean colours; 32 divides the side or the
    rest is left out, as in the network."""
    cell = photos.shape[1] // COLOR_GRID
    kept = photos[:, : COLOR_GRID * cell, : COLOR_GRID * cell]
    shape = (len(photos), COLOR_GRID, cell, COLOR_GRID, cell, 3)
    return kept.reshape(shape).mean(axis=(2, 4)).round().astype(np.uint8)


def stored_view(
    pixels: np.ndarray,
    stem: Stem,
    folder: Path,
    *,
    side: int,
    seed: int,
    which: str | int,
    on_step: OnStep | None = None,
) -> View:
    """A view of all photos: one of the two above, or a random one by its number and the seed.

    Computed unless the folder has it whole already.
    """
    stem_file, cells_file = folder / f"stem-{which}.npy", folder / f"cells-{which}.npy"
    if not cells_file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        cells = _compute(pixels, stem, stem_file, side, (seed, which), on_step)
        partial = folder / f"cells-{which}.part.npy"
        np.save(partial, cells)
        partial.replace(cells_file)
    return View(np.load(stem_file, mmap_mode="r"), np.load(cells_file))


def _compute(
    pixels: np.ndarray,
    stem: Stem,
    target: Path,
    side: int,
    key: tuple[int, str | int],
    on_step: OnStep | None,
) -> np.ndarray:
    """Writes the activations to `target`; the mean colours."""
    cells, file = [], None
    for start in range(0, len(pixels), CHUNK):
        photos = enumerate(np.asarray(pixels[start : start + CHUNK]), start)
        views = np.stack([_seen(photo, side, (*key, position)) for position, photo in photos])
        found = stem(views).astype(np.float16)
        if file is None:
            shape = (len(pixels), *found.shape[1:])
            file = np.lib.format.open_memmap(target, mode="w+", dtype=np.float16, shape=shape)
        file[start : start + len(found)] = found
        cells.append(color_cells(views))
        if on_step:
            on_step(f"view {key[1]}", min(start + CHUNK, len(pixels)), len(pixels))
    file.flush()
    return np.concatenate(cells)


def _seen(photo: np.ndarray, side: int, key: tuple[int, str | int, int]) -> np.ndarray:
    if key[1] in (AS_IT_IS, MIRRORED):
        return scaled(photo, side)[:, :: -1 if key[1] == MIRRORED else 1]
    return augmented(photo, side, np.random.default_rng(key))
