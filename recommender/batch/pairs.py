"""Facts about pairs of products, and of shoppers and products."""

import numpy as np

from recommender.batch.arrays import ShopperArrays

PAIRS_PER_BLOCK = 1_024  # their vectors fit the processor's cache


def is_bought(shoppers: ShopperArrays, rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(p, c) bool: whether the shoppers at `rows` (p,) own the products at `positions` (p, c)."""
    n_products = shoppers.purchased.shape[1]
    owners, owned = shoppers.purchased[rows].nonzero()
    codes = np.sort(owners.astype(np.int64) * n_products + owned)
    if len(codes) == 0:
        return np.zeros(positions.shape, dtype=bool)
    wanted = np.arange(len(rows))[:, None] * n_products + positions
    return codes[np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)] == wanted


def cosines(vectors: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(r,) float64 cosines of the products at `left` (r,) with those at `right` (r,).

    Each pair is computed once, and by one order of summation, so that equal products tie.
    """
    codes = left.astype(np.int64) * len(vectors) + right
    pairs, inverse = np.unique(codes, return_inverse=True)
    found = np.empty(len(pairs))
    for start in range(0, len(pairs), PAIRS_PER_BLOCK):
        some = slice(start, start + PAIRS_PER_BLOCK)
        first, second = np.divmod(pairs[some], len(vectors))
        products = vectors[first].astype(np.float64) * vectors[second]  # (b, dimension)
        found[some] = products.sum(axis=1)
    return found[inverse]
