"""Views of a subject: what the teacher is shown, and the student learns to see as it does."""

import cv2
import numpy as np

from embeddings.training.distillation.subjects import Subject

SIDE = 128  # of a view, in pixels
CROP_SHARES = (0.45, 1.0)  # of a photo's area
CROP_STRETCH = 1.35  # the widest shape of a crop, and its inverse the narrowest
FILL_SHARES = (0.6, 0.97)  # of the view's side that a cut-out takes
TURN_DEGREES = 12.0
GROUND = (238.0, 256.0)  # near white
PLAIN_SHARE = 0.15  # of the grounds: any colour


def draw_view(subject: Subject, rng: np.random.Generator) -> np.ndarray:
    """One view, (SIDE, SIDE, 3) uint8: a piece of a photo, or a cut-out laid on a plain ground."""
    drawn = _laid_out(subject, rng) if subject.is_cut_out else _piece(subject.pixels, rng)
    if rng.random() < 0.5:
        drawn = drawn[:, ::-1]
    return np.clip(drawn, 0, 255).astype(np.uint8)


def _piece(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random piece of the photo, stretched to a square (Inception's crops)."""
    height, width = pixels.shape[:2]
    area = rng.uniform(*CROP_SHARES)
    stretch = np.exp(rng.uniform(-1, 1) * np.log(CROP_STRETCH))
    rows = min(height, max(8, round(height * np.sqrt(area / stretch))))
    columns = min(width, max(8, round(width * np.sqrt(area * stretch))))
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    piece = pixels[top : top + rows, left : left + columns]
    return _recolored(cv2.resize(piece, (SIDE, SIDE), interpolation=cv2.INTER_AREA), rng)


def _laid_out(subject: Subject, rng: np.random.Generator) -> np.ndarray:
    """The cut-out, turned a little, somewhere near the middle of a plain ground."""
    height, width = subject.pixels.shape[:2]
    scale = SIDE * rng.uniform(*FILL_SHARES) / max(height, width)
    stretch = np.exp(rng.uniform(-0.2, 0.2))
    angle = np.deg2rad(rng.normal(0, TURN_DEGREES / 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([scale * stretch, scale])
    target = SIDE / 2 + rng.uniform(-0.06, 0.06, 2) * SIDE
    matrix = np.column_stack([linear, target - linear @ [width / 2, height / 2]])
    colors = _recolored(cv2.warpAffine(subject.pixels, matrix, (SIDE, SIDE)), rng)
    alpha = cv2.warpAffine(subject.coverage, matrix, (SIDE, SIDE)).astype(np.float32)[..., None]
    alpha /= 255
    return colors * alpha + _ground(rng) * (1 - alpha)


def _ground(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < PLAIN_SHARE:
        return rng.uniform(0, 255, 3)
    return np.full(3, rng.uniform(*GROUND)).clip(0, 255)


def _recolored(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another light; the teacher sees the same one, so that colours keep their meaning."""
    colors = pixels.astype(np.float32)
    grey = colors.mean(axis=2, keepdims=True)
    colors = grey + (colors - grey) * rng.uniform(0.6, 1.5)
    if rng.random() < 0.25:
        colors = colors[..., rng.permutation(3)]  # another hue, at once and without bounds
    gain = rng.uniform(0.75, 1.3) * rng.uniform(0.93, 1.07, 3)
    return (colors - 128) * gain + 128 + rng.uniform(-25, 25)
