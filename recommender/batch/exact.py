"""Every candidate of every purchase, in float64: slow, short, and the oracle of `bounded`."""

from collections.abc import Iterator

import numpy as np

from recommender.batch.arrays import (
    ProductArrays,
    PurchaseArrays,
    ShopperArrays,
    TopK,
    compatible_genders,
)
from recommender.ranking import RankingSettings

BLOCK_ELEMENTS = 4_000_000  # purchases x products at a time: 32 MB for each float64 temporary
# Equal products must tie although BLAS sums in an order that depends on their position: up to 1e-15
# was seen, and 1e-9 is far below any difference between two photos.
TIE_DECIMALS = 9


def exact_top_k(
    *,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    min_max_similarity: bool = False,
) -> TopK:
    """What `recommender.batch.top_k` gives, by looking at everything. Same arguments."""
    found = TopK.empty(len(purchases.products), settings.k)
    vectors = products.vectors.astype(np.float64)
    order = np.argsort(purchases.products, kind="stable")  # a product's cosines are computed once
    for block in blocks(len(order), len(products.product_ids)):
        rows = order[block]
        similarity = cosine_rows(vectors, purchases.products[rows])
        asked = purchases.at(rows)
        found.put(
            rows, _best_of(similarity, products, shoppers, asked, settings, min_max_similarity)
        )
    return found


def popularity_match(
    popularity: np.ndarray, trendiness: np.ndarray, settings: RankingSettings
) -> np.ndarray:
    """w_p (1 - |NormPop(v) - t|^gamma), for popularity (n,) or (q, n) and trendiness (q,)."""
    distance = np.abs(popularity - trendiness[:, None])  # (q, n)
    return settings.weight_popularity * (1 - distance**settings.penalty_exponent)


def cosine_rows(vectors: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """(q, n) float64 cosines of the products at `positions` (q,) with all; repeats cost nothing."""
    unique, inverse = np.unique(positions, return_inverse=True)
    return (vectors[unique] @ vectors.T)[inverse]


def blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Slices of rows, such that each block has at most BLOCK_ELEMENTS elements (or one row)."""
    size = max(1, BLOCK_ELEMENTS // max(n_columns, 1))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def allowed_candidates(
    *,
    products: ProductArrays,
    shoppers: ShopperArrays,
    rows: np.ndarray,
    filter_gender: bool,
) -> np.ndarray:
    """(b, n) bool: what may be recommended to the shoppers at positions `rows` (b,).

    Active products with a vector that the shopper never bought and, if `filter_gender`, of a
    compatible gender.
    """
    allowed = np.broadcast_to(products.is_candidate, (len(rows), len(products.product_ids))).copy()
    if filter_gender:
        allowed &= compatible_genders()[shoppers.genders[rows]][:, products.genders]
    bought_rows, bought_products = shoppers.purchased[rows].nonzero()
    allowed[bought_rows, bought_products] = False
    return allowed


def _best_of(
    similarity: np.ndarray,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    min_max_similarity: bool,
) -> TopK:
    allowed = allowed_candidates(
        products=products,
        shoppers=shoppers,
        rows=purchases.shoppers,
        filter_gender=settings.filter_gender,
    )
    if min_max_similarity:
        similarity = _rescaled(similarity, allowed)
    visual = settings.weight_visual * similarity
    popularity = popularity_match(
        products.normalized_popularity, shoppers.trendiness[purchases.shoppers], settings
    )
    between = products.category_similarity[products.categories[purchases.products]]
    category = settings.weight_category * between[:, products.categories]  # (b, n)
    relevance = np.where(allowed, visual + popularity + category, -np.inf)
    best = best_columns(relevance, settings.k)
    terms = (relevance, visual, popularity, category, np.zeros_like(relevance))
    return TopK(best, *(picked(best, term) for term in terms))


def best_columns(scores: np.ndarray, k: int) -> np.ndarray:
    """(q, k) columns of the k largest scores of each row (q, n), the leftmost first among equals.

    -inf never counts; missing places are -1.
    """
    n_columns = scores.shape[1]
    best = np.full((len(scores), k), -1, dtype=np.int64)
    if n_columns == 0:
        return best
    kth = n_columns - min(k, n_columns)
    thresholds = np.partition(scores, kth, axis=1)[:, kth] - 10.0**-TIE_DECIMALS
    for row, threshold in enumerate(thresholds):
        shortlist = np.flatnonzero((scores[row] >= threshold) & (scores[row] > -np.inf))
        rounded = np.round(scores[row, shortlist], TIE_DECIMALS)
        chosen = shortlist[np.argsort(-rounded, kind="stable")[:k]]
        best[row, : len(chosen)] = chosen
    return best


def _rescaled(similarity: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Each row min-max normalised over its allowed columns; 1 where those are all equal."""
    low = np.where(allowed, similarity, np.inf).min(axis=1, keepdims=True)
    high = np.where(allowed, similarity, -np.inf).max(axis=1, keepdims=True)
    span = high - low  # -inf in a row that allows nothing
    varies = span > 10.0**-TIE_DECIMALS
    low = np.where(varies, low, 0.0)
    return np.where(varies, (similarity - low) / np.where(varies, span, 1.0), 1.0)


def picked(best: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values (q, n) at the best columns (q, k), NaN where there is none."""
    taken = np.take_along_axis(values, np.maximum(best, 0), axis=1)
    return np.where(best >= 0, taken, np.nan)
