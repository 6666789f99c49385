"""What a photo offers to look at: itself, and what can be cut out of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from embeddings.photo_sets import LabelledPhoto

SIDE = 192  # pixels of the longer side, as decoded
GRABCUT_SIDE = 96  # a cut at 192 pixels takes five times as long
GRABCUT_ROUNDS = 2
GRABCUT_MARGIN = 0.04  # of each side: background to begin with
CUT_SHARES = (0.08, 0.9)  # of the photo; a cut outside them has failed
SMALLEST_ITEM = 0.008  # of the photo
# What DeepFashion's maps paint that is no garment: background, hair, face, skin.
NO_GARMENT = frozenset({(0, 0, 0), (255, 0, 0), (16, 78, 139), (144, 238, 144)})


@dataclass(frozen=True)
class Subject:
    """Pixels to draw views of, and what they show.

    `coverage` is (height, width) uint8, 255 where the subject is; None for a whole photo. `label`
    is a class within `head`, a set of classes that exclude each other.
    """

    pixels: np.ndarray  # (height, width, 3) uint8
    coverage: np.ndarray | None
    head: str
    label: str

    @property
    def is_cut_out(self) -> bool:
        """Whether it is to be laid on a plain ground."""
        return self.coverage is not None


def subjects_of(photo: LabelledPhoto, head: str) -> Iterator[Subject]:
    """The photo, its garments together, and each by itself where a map shows them.

    Without a map the garment is cut out by GrabCut, where that finds one.
    """
    with Image.open(photo.path) as image:
        image.draft("RGB", (SIDE, SIDE))
        pixels = _shrunk(np.asarray(image.convert("RGB")))
    category = photo.labels["category"]
    yield Subject(pixels, None, head, category)
    if photo.segmentation_map is None:
        coverage = grabcut_coverage(pixels)
        if coverage is not None:
            yield Subject(*_cropped(pixels, coverage), head, category)
        return
    with Image.open(photo.segmentation_map) as image:
        size = pixels.shape[1::-1]
        colors = np.asarray(image.convert("RGB").resize(size, Image.Resampling.NEAREST))
    yield from _mapped_subjects(pixels, colors, head, category)


def grabcut_coverage(pixels: np.ndarray) -> np.ndarray | None:
    """What lies in the middle of a photo, (height, width) uint8; None where the cut fails.

    Source: Rother, Kolmogorov and Blake, GrabCut, SIGGRAPH 2004, from a rectangle.
    """
    height, width = pixels.shape[:2]
    factor = GRABCUT_SIDE / max(height, width)
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    rows, columns = (round(side * GRABCUT_MARGIN) for side in small.shape[:2])
    box = (columns, rows, small.shape[1] - 2 * columns, small.shape[0] - 2 * rows)
    mask = np.zeros(small.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its first clusters are drawn
    try:
        cv2.grabCut(small, mask, box, *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # a photo of one colour has no two clusters
        return None
    kept = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if not CUT_SHARES[0] <= kept.mean() <= CUT_SHARES[1]:
        return None
    smooth = cv2.medianBlur(kept.astype(np.uint8) * 255, 3)
    return cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)


def _mapped_subjects(
    pixels: np.ndarray, colors: np.ndarray, head: str, category: str
) -> Iterator[Subject]:
    """All garments as one, labelled as the photo is, and each colour of the map by itself."""
    together = np.zeros(colors.shape[:2], np.uint8)
    for color in np.unique(colors.reshape(-1, 3), axis=0):
        name = tuple(int(channel) for channel in color)
        if name in NO_GARMENT:
            continue
        item = np.uint8(255) * (colors == color).all(axis=2)
        together |= item
        if (item > 0).mean() >= SMALLEST_ITEM:
            yield Subject(*_cropped(pixels, item), f"{head} item", str(name))
    if together.any():
        yield Subject(*_cropped(pixels, together), head, category)


def _cropped(pixels: np.ndarray, coverage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both cut to where the subject is."""
    rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return pixels[box], coverage[box]


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    factor = SIDE / max(pixels.shape[:2])
    if factor >= 1:
        return pixels
    size = [max(1, round(side * factor)) for side in pixels.shape[1::-1]]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
