"""What a network sees of a photo: its scaled centre. Free of torch."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

SHORTER_SIDE = 256  # as in the public code; the paper's text says 256 x 256
CROP = 224


class Framing(Protocol):
    """Which piece of a photo a network takes, and at what size."""

    @property
    def side(self) -> int:
        """Of its square input, in pixels."""

    @property
    def preprocessing(self) -> dict[str, object]:
        """As it is stored with the vectors that depend on it."""

    def crop(self, photo: Image.Image) -> np.ndarray:
        """The input from a photo decoded in full: (side, side, 3) uint8."""

    def crop_decoded(self, image: Image.Image, size: tuple[int, int], reduction: int) -> np.ndarray:
        """The same, faster, from a perhaps reduced `image` of a photo of `size` (width, height)."""


@dataclass(frozen=True)
class CenterCrop:
    """The middle of the scaled photo, as ImageNet's networks are used."""

    side: int = CROP

    @property
    def preprocessing(self) -> dict[str, object]:
        """The two sizes."""
        return {"shorter_side": SHORTER_SIDE, "center_crop": self.side}

    def crop(self, photo: Image.Image) -> np.ndarray:
        """See `crop_photo`."""
        return crop_photo(photo)

    def crop_decoded(self, image: Image.Image, size: tuple[int, int], reduction: int) -> np.ndarray:
        """See `crop_decoded`."""
        return crop_decoded(image, size, reduction)


@dataclass(frozen=True)
class WholePhoto:
    """The whole photo, stretched to a square: a packshot's edges hold the hem and the collar."""

    side: int

    @property
    def preprocessing(self) -> dict[str, object]:
        """The size of the square."""
        return {"stretched_to": self.side}

    def crop(self, photo: Image.Image) -> np.ndarray:
        """The photo in `side` x `side` pixels."""
        return self.crop_decoded(photo, photo.size, 1)

    def crop_decoded(self, image: Image.Image, size: tuple[int, int], reduction: int) -> np.ndarray:
        """The same; what a reduced image has beyond the photo's end is left out."""
        box = (0.0, 0.0, size[0] / reduction, size[1] / reduction)
        square = (self.side, self.side)
        return np.asarray(image.resize(square, Image.Resampling.BILINEAR, box=box))


def crop_photo(photo: Image.Image) -> np.ndarray:
    """The photo's centre as a network sees it: (224, 224, 3) uint8, shorter side scaled to 256.

    The same pixels as torchvision's Resize(256) and CenterCrop(224).
    """
    photo = _without_far_ends(photo)
    shorter = min(photo.size)
    width, height = (SHORTER_SIDE * side // shorter for side in photo.size)
    resized = photo.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - CROP) / 2), round((height - CROP) / 2)
    return np.asarray(resized.crop((left, top, left + CROP, top + CROP)))


def crop_decoded(image: Image.Image, size: tuple[int, int], reduction: int) -> np.ndarray:
    """`crop_photo` of a photo of `size` (width, height), from it or from a reduced `image` of it.

    Only what the crop shows is scaled, which takes half the time, and it lies where it lies in the
    whole photo: scaling a reduced image by itself shifts it by up to a pixel, as sides are rounded.
    Without a reduction the values are `crop_photo`'s up to 1 of 255.
    """
    longest = 4 * min(size)  # as in _without_far_ends
    ends = [(max(0, side - longest) // 2, min(side, longest)) for side in size]
    shorter = min(size)
    box: list[float] = []
    for start, side in ends:
        scaled = SHORTER_SIDE * side // shorter
        first = round((scaled - CROP) / 2)
        box.append((start + first * side / scaled) / reduction)
        box.append((start + (first + CROP) * side / scaled) / reduction)
    left, right, top, bottom = box
    resized = image.resize((CROP, CROP), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return np.asarray(resized)


def _without_far_ends(photo: Image.Image) -> Image.Image:
    """A strip cut to its middle, which is all that the crop keeps of it.

    Scaling a 1 x 10,000 photo as a whole would take gigabytes.
    """
    longest = 4 * min(photo.size)
    if max(photo.size) <= longest:
        return photo
    box = [(max(0, side - longest) // 2, min(side, longest)) for side in photo.size]
    (left, width), (top, height) = box
    return photo.crop((left, top, left + width, top + height))
