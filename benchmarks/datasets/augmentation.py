"""Random views of a photo: resized crop, flip and colour jitter, as trained networks know them."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

CROP = 224  # pixels on a side, of the inputs that ImageNet's networks were trained on
SHORTER_SIDE = 256
VERSION = 1  # part of every cache's fingerprint: count it up when a view would change
AREA_SHARES = (0.3, 1.0)
ASPECT_RATIOS = (3 / 4, 4 / 3)
JITTER = 0.3  # brightness, contrast and saturation are scaled by 1 +- this
MAX_HUE_SHIFT = 9  # of OpenCV's 180 degrees of hue


def central_view(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the product embeds: shorter side scaled to 256, the middle 224 x 224, uint8 RGB."""
    height, width = photo.shape[:2]
    size = [SHORTER_SIDE * side // min(width, height) for side in (width, height)]
    resized = Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR)
    left, top = (round((side - CROP) / 2) for side in size)
    return np.asarray(resized.crop((left, top, left + CROP, top + CROP)))


def augmented_view(photo: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A view of `photo` (height, width, 3) RGB as a network's input: (224, 224, 3) uint8 RGB.

    Source: the random resized crop and the colour jitter of torchvision's reference training.
    """
    left, top, width, height = _random_box(photo.shape[1], photo.shape[0], rng)
    view = photo[top : top + height, left : left + width]
    view = cv2.resize(view, (CROP, CROP), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        view = view[:, ::-1]
    return _jittered(np.ascontiguousarray(view), rng)


def _random_box(width: int, height: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """(left, top, width, height) of a random share of the area, clipped to the photo's sides."""
    area = width * height * rng.uniform(*AREA_SHARES)
    ratio = np.exp(rng.uniform(*np.log(ASPECT_RATIOS)))
    w = min(width, max(1, round(np.sqrt(area * ratio))))
    h = min(height, max(1, round(np.sqrt(area / ratio))))
    return int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1)), w, h


def _jittered(view: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    brightness, contrast, saturation = rng.uniform(1 - JITTER, 1 + JITTER, 3)
    hue_shift = int(rng.integers(-MAX_HUE_SHIFT, MAX_HUE_SHIFT + 1))
    hsv = cv2.cvtColor(view, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) + hue_shift) % 180
    hsv[..., 1] = cv2.convertScaleAbs(hsv[..., 1], alpha=saturation)
    view = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    mean = float(view.mean())  # contrast moves values away from it
    changed = ((view.astype(np.float32) - mean) * contrast + mean) * brightness
    return np.clip(changed, 0, 255).astype(np.uint8)
