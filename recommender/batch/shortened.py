"""Shorter vectors, whose products are never below the cosines of the full ones.

A vector is its part along some main axes and a rest; of two rests only the lengths are kept. By
Cauchy and Schwarz their product is at most that of the lengths:

    cos(a, b) <= (a's coordinates) . (b's coordinates) + |a's rest| |b's rest|,

which is a product of rows that are one value longer than the axes are many.
"""

import numpy as np

from recommender.batch.arrays import ProductArrays, PurchaseArrays

# Of MobileNetV2's 1,280 values 384 leave some 24 of 100,000 candidates that may be above the fifth
# nearest (512: 14, 256: 59).
N_AXES = 384
N_FITTED = 5_000  # vectors, evenly spread, that the axes are found by
ROWS_AT_ONCE = 4_096
ROUNDED_UP = 1e-6  # of a rest's length, which is the root of a difference
# Fitting and shortening takes as long as comparing some thousand purchases with all candidates.
LEAST_PURCHASES, LEAST_CANDIDATES = 4_096, 16_384


def is_worth_it(products: ProductArrays, purchases: PurchaseArrays) -> bool:
    """Whether so much is compared that shortening the vectors first is faster."""
    return (
        products.vectors.shape[1] >= 2 * N_AXES
        and len(purchases.products) >= LEAST_PURCHASES
        and np.count_nonzero(products.is_candidate) >= LEAST_CANDIDATES
    )


def shortened(vectors: np.ndarray, n_axes: int = N_AXES) -> np.ndarray:
    """(n, d) float32 of length 1 or 0 -> (n, n_axes + 1) float32.

    Computed in float64, so that only the last rounding separates a product from its bound.
    """
    axes = _main_axes(vectors, n_axes)  # (d, n_axes)
    short = np.empty((len(vectors), n_axes + 1), np.float32)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        rows = vectors[start : start + ROWS_AT_ONCE].astype(np.float64)
        coordinates = rows @ axes
        rest = np.square(rows).sum(axis=1) - np.square(coordinates).sum(axis=1)
        some = short[start : start + ROWS_AT_ONCE]
        some[:, :-1] = coordinates
        some[:, -1] = np.sqrt(np.maximum(rest, 0)) + ROUNDED_UP
    return short


def _main_axes(vectors: np.ndarray, n_axes: int) -> np.ndarray:
    """Orthonormal columns (d, n_axes) that keep most of the vectors' length (uncentred PCA)."""
    from scipy.linalg import eigh  # loads slowly

    sample = vectors[:: max(1, len(vectors) // N_FITTED)].astype(np.float64)
    d = vectors.shape[1]
    return eigh(sample.T @ sample, subset_by_index=[d - n_axes, d - 1])[1]
