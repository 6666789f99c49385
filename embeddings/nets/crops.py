"""What a network sees of a photo: its scaled centre. Free of torch."""

import numpy as np
from PIL import Image

SHORTER_SIDE = 256  # as in the public code; the paper's text says 256 x 256
CROP = 224


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
