"""How well a found mask, or parse, agrees with the true one."""

import numpy as np

from embeddings.garments.classes import N_CLASSES


def garment_iou(found: np.ndarray, shown: np.ndarray) -> float:
    """Intersection over union of two (height, width) bool masks; 1 where both are empty."""
    union = np.count_nonzero(found | shown)
    return np.count_nonzero(found & shown) / union if union else 1.0


def class_counts(found: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """How many pixels of each class (rows: shown) were found as each: (N_CLASSES, N_CLASSES)."""
    pairs = shown.astype(np.int64).ravel() * N_CLASSES + found.ravel()
    return np.bincount(pairs, minlength=N_CLASSES**2).reshape(N_CLASSES, N_CLASSES)


def class_ious(counts: np.ndarray) -> np.ndarray:
    """Intersection over union of each class over all counted pixels, (N_CLASSES,).

    NaN for a class that was neither shown nor found.
    """
    shared = np.diag(counts).astype(float)
    union = counts.sum(axis=0) + counts.sum(axis=1) - shared
    return np.divide(shared, union, out=np.full(len(counts), np.nan), where=union > 0)
