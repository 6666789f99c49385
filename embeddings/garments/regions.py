"""The single garments of a parsed photo: where each is, and a square picture around it."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from embeddings.garments.classes import SLOTS, GarmentClass

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

    @property
    def name(self) -> str:
        """The slot as embeddings name it."""
        return self.slot.name.lower()

    @property
    def relative_box(self) -> list[float]:
        """The box as fractions of the photo's width and height."""
        height, width = self.mask.shape
        left, top, right, bottom = self.box
        return [left / width, top / height, right / width, bottom / height]


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


def square_around(photo: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What lies around a mask, in the middle of a square: (side, side, 3) uint8 and its mask.

    A garment is long or wide; a network's centre crop would cut its ends off. Beyond the photo
    the square is black, and no mask.
    """
    left, top, right, bottom = mask_box(mask)
    side = round(max(right - left, bottom - top) * MARGIN)
    above, before = (side - (bottom - top)) // 2, (side - (right - left)) // 2
    margins = (above, side - (bottom - top) - above, before, side - (right - left) - before)
    inside = (slice(top, bottom), slice(left, right))
    pixels = cv2.copyMakeBorder(photo[inside], *margins, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    shown = mask[inside].astype(np.uint8)
    return pixels, cv2.copyMakeBorder(shown, *margins, cv2.BORDER_CONSTANT, value=0) > 0
