"""What the teacher says of every view, computed once and kept beside the views."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

N_FOR_AXES = 8192  # views from which the main axes are computed
AT_ONCE = 64


class Teacher(Protocol):
    """A network that runs."""

    def features(self, crops: np.ndarray) -> np.ndarray:
        """(n, side, side, 3) uint8 -> (n, dimension) float32."""


def teacher_features(
    images: np.ndarray,
    teacher: Teacher,
    file: Path,
    side: int | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> np.ndarray:
    """(n, dimension) float16 of all views, from `file` where it was computed before.

    `side` is that of the only squares that the teacher takes, in pixels; None: any.
    """
    if not file.is_file():
        parts = []
        for start in range(0, len(images), AT_ONCE):
            crops = _scaled(np.array(images[start : start + AT_ONCE]), side)
            parts.append(teacher.features(crops).astype(np.float16))
            if on_progress:
                done = min(start + AT_ONCE, len(images))
                on_progress("Asking the teacher", done, len(images))
        partial = file.with_suffix(".part.npy")
        np.save(partial, np.concatenate(parts))
        partial.replace(file)
    return np.load(file)


def _scaled(crops: np.ndarray, side: int | None) -> np.ndarray:
    if side is None or crops.shape[1] == side:
        return crops
    return np.stack([cv2.resize(crop, (side, side)) for crop in crops])


def target_directions(features: np.ndarray, dimension: int, *, seed: int) -> np.ndarray:
    """The student's targets: (n, dimension) float32 of unit length.

    The features less their mean, turned onto their main axes: cosines between photos stay as they
    were up to what the axes left out hold.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(features), size=min(N_FOR_AXES, len(features)), replace=False)
    sample = features[np.sort(chosen)].astype(np.float64)
    mean = sample.mean(axis=0)
    _, axes = np.linalg.eigh((sample - mean).T @ (sample - mean))  # ascending
    main = axes[:, ::-1][:, :dimension].astype(np.float32)
    turned = np.zeros((len(features), dimension), np.float32)
    turned[:, : main.shape[1]] = (features.astype(np.float32) - mean.astype(np.float32)) @ main
    lengths = np.linalg.norm(turned, axis=1, keepdims=True)
    return turned / np.where(lengths > 0, lengths, 1)
