"""What the parser is trained on: photos, persons and garments, moved, recoloured and pasted.

818 photos of people in the street are few, and a shop's photos are of other kinds: garments alone
on white, and on floors and hangers. So persons and single garments are cut out by their maps and
laid over other backdrops, plain ones and the edges of phone photos.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from embeddings.garments.classes import GarmentClass
from embeddings.training.parsing.examples import BODY, Examples

HEIGHT, WIDTH = 192, 128  # of a training crop, in pixels
KINDS = ("photo", "person", "garments")  # drawn: the photo, its person or its garments elsewhere
PHOTO_SHARE = 0.5  # of photos as they are; the other kinds share the rest
PLAIN_SHARE = 0.35  # of backdrops: white, or one colour
SMALLEST_GARMENT = 150  # pixels of one that is laid out by itself
LARGEST_SCALE = 3.0  # of small garments, which would be a blur
ERASED_SHARE = 0.15  # of photos: a rectangle hidden (random erasing)


@dataclass(frozen=True)
class Draw:
    """A training crop: (HEIGHT, WIDTH, 3) uint8 and its (HEIGHT, WIDTH) uint8 classes."""

    image: np.ndarray
    classes: np.ndarray


def draw_example(
    examples: Examples,
    position: int,
    backdrops: np.ndarray,
    rng: np.random.Generator,
    photo_share: float = PHOTO_SHARE,
) -> Draw:
    """A crop drawn from one example; `backdrops` as `read_backdrops` gives them, perhaps none."""
    image, codes = examples.example(position)
    rest = (1 - photo_share) / 2
    kind = rng.choice(KINDS, p=[photo_share, rest, rest])
    image = _recolored_garments(image, codes, rng) if rng.random() < 0.3 else image
    kept = _kept(codes, kind, rng)
    matrix = _placement(kept, kind, rng)
    moved = cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    shown = _moved_codes(np.where(codes == 0, 0, codes + 1).astype(np.uint8), matrix)
    alpha = _alpha(kept, matrix)
    backdrop = _backdrop(backdrops, rng)
    pixels = moved * alpha[..., None] + backdrop * (1 - alpha[..., None])
    classes = np.where(alpha > 0.5, np.maximum(shown, 1) - 1, 0)
    classes[classes == BODY] = GarmentClass.BACKGROUND
    pixels = _recolored(np.float32(pixels), rng)
    if rng.random() < ERASED_SHARE:
        _erase(pixels, classes, rng)
    return Draw(np.clip(pixels, 0, 255).astype(np.uint8), classes.astype(np.uint8))


def _kept(codes: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Which pixels of a photo are laid over the backdrop: (height, width) bool."""
    if kind == "photo":
        return np.ones(codes.shape, bool)
    if kind == "person":
        return codes > 0
    garments = (codes > 0) & (codes != BODY)
    present = _present(codes, SMALLEST_GARMENT)
    if present and rng.random() < 0.6:  # one garment by itself, as on a floor or a packshot
        return codes == rng.choice(present)
    return garments


def _present(codes: np.ndarray, n_pixels: int) -> list[int]:
    """The garment classes of which a photo has that many pixels."""
    counts = np.bincount(codes.ravel(), minlength=BODY)
    return [code for code in range(1, BODY) if counts[code] >= n_pixels]


def _placement(kept: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """The affine map from a photo to the crop, (2, 3), by which what is kept is shown."""
    height, width = kept.shape
    center, extent = np.array([width / 2, height / 2]), np.array([width, height], float)
    turn = 10.0
    if kind != "photo" and kept.any():
        rows, columns = np.nonzero(kept)
        center = np.array([(columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2])
        extent = np.array([np.ptp(columns) + 10, np.ptp(rows) + 10], float)
        turn = 180.0 if kind == "garments" and rng.random() < 0.3 else 20.0
    fit = min(WIDTH / extent[0], HEIGHT / extent[1])
    scale = fit * np.exp(rng.uniform(np.log(0.75), np.log(1.7)))
    scale = min(scale, LARGEST_SCALE)
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    angle = np.deg2rad(rng.uniform(-turn, turn)) * (rng.random() < 0.6)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ np.diag([flip * scale * stretch, scale / stretch])
    room = np.maximum(0, np.abs(scale * extent - [WIDTH, HEIGHT])) / 2 + 8
    target = np.array([WIDTH / 2, HEIGHT / 2]) + rng.uniform(-1, 1, 2) * room
    return np.column_stack([linear, target - linear @ center])


def _moved_codes(codes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(codes, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST)


def _alpha(kept: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """How much of each pixel of the crop the photo covers, 0 to 1, with soft edges."""
    moved = cv2.warpAffine(kept.astype(np.float32), matrix, (WIDTH, HEIGHT))
    return cv2.GaussianBlur(moved, (3, 3), 0)


def _backdrop(backdrops: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) float: one colour, or a piece of a phone photo's edge."""
    if rng.random() < PLAIN_SHARE or not len(backdrops):
        return _plain(rng)
    photo = backdrops[int(rng.integers(len(backdrops)))]
    side = photo.shape[0]
    depth = int(side * rng.uniform(0.06, 0.18))  # the garment lies in the middle
    length = int(side * rng.uniform(0.4, 0.9))
    start = int(rng.integers(side - length + 1))
    strip = photo[:depth] if rng.random() < 0.5 else photo[-depth:]
    if rng.random() < 0.5:
        strip = (photo[:, :depth] if rng.random() < 0.5 else photo[:, -depth:]).transpose(1, 0, 2)
    piece = np.asarray(strip[:, start : start + length])
    piece = np.concatenate([piece, piece[::-1]], axis=0)  # a strip beside its mirror image
    return cv2.resize(piece, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _plain(rng: np.random.Generator) -> np.ndarray:
    """White as in packshots, or any colour, with a soft gradient."""
    is_white = rng.random() < 0.5
    color = np.full(3, rng.uniform(235, 255)) if is_white else rng.uniform(0, 255, 3)
    slope = np.linspace(-1, 1, HEIGHT)[:, None, None] * rng.uniform(-12, 12)
    return np.broadcast_to(color + slope, (HEIGHT, WIDTH, 3)).astype(np.float32)


def _recolored_garments(
    image: np.ndarray, codes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The photo with one garment class in another hue and lightness."""
    present = _present(codes, 1)
    if not present:
        return image
    chosen = codes == rng.choice(present)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 180)) % 180
    hsv[..., 1] = hsv[..., 1] * rng.uniform(0.5, 1.5) + rng.uniform(-20, 60)
    hsv[..., 2] = hsv[..., 2] * rng.uniform(0.6, 1.2) + rng.uniform(-30, 50)
    changed = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.where(chosen[..., None], changed, image)


def _recolored(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another light: gain and offset for each channel, saturation, blur and noise."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    saturation = 0.0 if rng.random() < 0.05 else rng.uniform(0.6, 1.4)
    pixels = grey + (pixels - grey) * np.float32(saturation)
    gain = np.float32(rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3))
    pixels = (pixels - 128) * gain + np.float32(128 + rng.uniform(-30, 30))
    if rng.random() < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.25:
        noise = rng.standard_normal(pixels.shape, np.float32)
        pixels = pixels + noise * np.float32(rng.uniform(2, 10))
    return pixels


def _erase(pixels: np.ndarray, classes: np.ndarray, rng: np.random.Generator) -> None:
    """Hide a rectangle by one colour, as background.

    Source: Zhong et al., Random Erasing Data Augmentation, AAAI 2020; its classes are not kept.
    """
    height, width = (int(rng.uniform(0.1, 0.35) * side) for side in (HEIGHT, WIDTH))
    top, left = int(rng.integers(HEIGHT - height)), int(rng.integers(WIDTH - width))
    pixels[top : top + height, left : left + width] = rng.uniform(0, 255, 3)
    classes[top : top + height, left : left + width] = GarmentClass.BACKGROUND
