"""The part of a photo that is searched for."""

from dataclasses import astuple, dataclass
from math import isfinite
from typing import Self

from embeddings.photo_search.refusals import PhotoRefused
from embeddings.photo_search.uploads import MIN_SIDE

SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class CropBox:
    """A box in an upright photo, each side as a fraction of its width or height."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def parse(cls, given: object) -> Self:
        """The box that decoded JSON spells.

        Raises:
            PhotoRefused: BAD_USER_INPUT, where it spells none.
        """
        if not isinstance(given, dict) or set(given) != set(SIDES):
            raise _refused(f"an object of {', '.join(SIDES)}, each a fraction from 0 to 1")
        values = [given[side] for side in SIDES]
        if not all(type(v) in (int, float) and isfinite(v) and 0 <= v <= 1 for v in values):
            raise _refused("fractions from 0 to 1")
        box = cls(*map(float, values))
        if box.left >= box.right or box.top >= box.bottom:
            raise _refused("left before right and top before bottom")
        return box

    def sides(self) -> list[float]:
        """Left, top, right, bottom."""
        return list(astuple(self))

    def in_pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in a photo of `size` (width, height).

        Raises:
            PhotoRefused: INVALID_IMAGE, where hardly a pixel is left.
        """
        width, height = size
        left, right = round(self.left * width), round(self.right * width)
        top, bottom = round(self.top * height), round(self.bottom * height)
        if min(right - left, bottom - top) < MIN_SIDE:
            raise PhotoRefused(
                "INVALID_IMAGE",
                f"The crop leaves {right - left} x {bottom - top} pixels; "
                f"each side needs {MIN_SIDE} or more.",
            )
        return left, top, right, bottom


def _refused(expected: str) -> PhotoRefused:
    return PhotoRefused("BAD_USER_INPUT", f"crop must be {expected}.")
