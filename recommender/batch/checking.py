"""The exact relevance of a few candidates of many purchases."""

import numpy as np

from recommender.batch.arrays import ProductArrays, PurchaseArrays, ShopperArrays, TopK
from recommender.batch.exact import TIE_DECIMALS
from recommender.ranking import RankingSettings

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


def checked(
    positions: np.ndarray,
    in_question: np.ndarray,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
) -> TopK:
    """The best of some candidates of `p` purchases by their relevance in float64.

    Args:
        positions: (p, c) candidates, no product twice in a row.
        in_question: (p, c) bool, which of them count.
        products: the catalogue.
        shoppers: whom for.
        purchases: the `p` purchases.
        settings: the weights, the exponent and k.
    """
    rows, columns = np.nonzero(in_question)
    candidates, bought = positions[rows, columns], purchases.products[rows]
    visual = np.zeros(len(rows))
    if settings.weight_visual:
        visual = settings.weight_visual * cosines(products.vectors, bought, candidates)
    gap = np.abs(
        products.normalized_popularity[candidates] - shoppers.trendiness[purchases.shoppers[rows]]
    )
    popularity = settings.weight_popularity * (1 - gap**settings.penalty_exponent)
    between = products.category_similarity[
        products.categories[bought], products.categories[candidates]
    ]
    category = settings.weight_category * between
    relevance = visual + popularity + category
    order = np.lexsort((candidates, -np.round(relevance, TIE_DECIMALS), rows))
    n_earlier = np.searchsorted(rows, rows)  # candidates of earlier rows; `rows` ascends
    place = np.arange(len(rows)) - n_earlier
    order, place = order[place < settings.k], place[place < settings.k]
    best = TopK.empty(len(positions), settings.k)
    best.products[rows[order], place] = candidates[order]
    best.relevance[rows[order], place] = relevance[order]
    best.visual[rows[order], place] = visual[order]
    best.popularity[rows[order], place] = popularity[order]
    best.category[rows[order], place] = category[order]
    return best


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
