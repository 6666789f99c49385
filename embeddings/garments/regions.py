"""The single garments of a parsed photo: where each is, and a picture of it alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from embeddings.garments.classes import SLOTS, Color, GarmentClass

MIN_SHARE = 0.004  # of the photo; a strap or a hem is no garment to compare by
# The picture's side over the garment's longer one: networks look at 224 of 256 pixels.
MARGIN = 1.15


@dataclass(frozen=True)
class GarmentRegion:
    """One garment: its class, its box in pixels (left, top, right, bottom), and its pixels.

    `mask` is (height, width) bool of the whole photo.
    """

    slot: GarmentClass
    box: tuple[int, int, int, int]
    mask: np.ndarray


def garment_regions(classes: np.ndarray) -> Iterator[GarmentRegion]:
    """A region for each slot that a (height, width) uint8 parse shows enough of."""
    for slot in SLOTS:
        mask = classes == slot
        if mask.mean() >= MIN_SHARE:
            yield GarmentRegion(slot, mask_box(mask), mask)


def mask_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The smallest box (left, top, right, bottom) around a mask with a pixel in it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def masked_square(photo: np.ndarray, mask: np.ndarray, fill: Color) -> np.ndarray:
    """What a mask shows in the middle of a square of `fill`: (side, side, 3) uint8.

    A garment is long or wide; a network's centre crop would cut its ends off.
    """
    left, top, right, bottom = mask_box(mask)
    shown = np.where(mask[top:bottom, left:right, None], photo[top:bottom, left:right], fill)
    side = round(max(right - left, bottom - top) * MARGIN)
    above, before = (side - (bottom - top)) // 2, (side - (right - left)) // 2
    below, behind = side - (bottom - top) - above, side - (right - left) - before
    return cv2.copyMakeBorder(
        shown.astype(np.uint8), above, below, before, behind, cv2.BORDER_CONSTANT, value=fill
    )
