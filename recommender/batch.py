"""The relevance of many purchases against the whole catalogue, in numpy, block by block.

The formula of `recommender.relevance`, without the database: for evaluation, and as an oracle.
Shopping nouns keep their names; every array is addressed by a product's or a shopper's position.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from catalog.models import Gender
from recommender.ranking import RankingSettings

GENDERS = list(Gender)  # a gender's code is its position here
BLOCK_ELEMENTS = 4_000_000  # purchases x products at a time: 32 MB for each float64 temporary
# Equal products must tie although BLAS sums in an order that depends on their position: up to 1e-15
# was seen, and 1e-9 is far below any difference between two photos.
TIE_DECIMALS = 9


@dataclass(frozen=True)
class ProductArrays:
    """What ranking knows of `n` products, in ascending order of their keys.

    A product without a vector has a row of zeros and is no candidate.
    """

    product_ids: np.ndarray  # (n,) int64
    vectors: np.ndarray  # (n, dimension) float32, L2-normalised
    is_candidate: np.ndarray  # (n,) bool: active, with a vector
    genders: np.ndarray  # (n,) int8, codes
    categories: np.ndarray  # (n,) int64, rows of category_similarity
    normalized_popularity: np.ndarray  # (n,) float64 in [0, 1]
    category_similarity: np.ndarray  # (n_categories, n_categories) float64


@dataclass(frozen=True)
class ShopperArrays:
    """Whom to rank for, `s` shoppers."""

    genders: np.ndarray  # (s,) int8, codes
    trendiness: np.ndarray  # (s,) float64 in [0, 1]
    purchased: sparse.csr_array  # (s, n) bool: what is never recommended to them


@dataclass(frozen=True)
class PurchaseArrays:
    """The `q` purchases that candidates are compared with."""

    shoppers: np.ndarray  # (q,) positions
    products: np.ndarray  # (q,) positions


@dataclass(frozen=True)
class TopK:
    """Per purchase the best candidates, best first.

    All are (q, k). Where fewer than k candidates exist, the product is -1 and the rest NaN.
    """

    products: np.ndarray  # int64 positions
    relevance: np.ndarray  # float64, the sum of the three weighted terms
    visual: np.ndarray
    popularity: np.ndarray
    category: np.ndarray


def compatible_genders() -> np.ndarray:
    """(5, 5) bool: row = the shopper's gender code, column = the product's."""
    return np.array([[other in gender.compatible() for other in GENDERS] for gender in GENDERS])


def normalized_popularity(popularity: np.ndarray, is_active: np.ndarray) -> np.ndarray:
    """Min-max over the active products, and 0 where they are all equal: NormPop.

    Args:
        popularity: (..., n) counts; one row per moment, or a single row.
        is_active: (n,) bool.

    Returns:
        (..., n) float64, in [0, 1] for active products.
    """
    active = np.asarray(popularity, dtype=np.float64)[..., is_active]
    if active.shape[-1] == 0:
        return np.zeros(np.shape(popularity))
    low = active.min(axis=-1, keepdims=True)
    span = active.max(axis=-1, keepdims=True) - low
    return np.where(span > 0, (popularity - low) / np.where(span > 0, span, 1), 0.0)


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


def top_k(
    *,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    min_max_similarity: bool = False,
) -> TopK:
    """The `settings.k` most relevant candidates of every purchase; ties go to the smaller key.

    Args:
        products: the catalogue; `settings.backbone` is not read, its vectors are here.
        shoppers: whom for.
        purchases: compared with, each by one of the shoppers.
        settings: weights, exponent, k, and whether genders are filtered.
        min_max_similarity: rescale each purchase's similarities over its candidates to [0, 1]
            (1 where all are equal), as the paper's public code does and its text does not.
    """
    n_purchases = len(purchases.products)
    found = _empty(n_purchases, settings.k)
    vectors = products.vectors.astype(np.float64)
    for block in blocks(n_purchases, len(products.product_ids)):
        rows = purchases.shoppers[block]
        bought = purchases.products[block]
        allowed = allowed_candidates(
            products=products, shoppers=shoppers, rows=rows, filter_gender=settings.filter_gender
        )
        similarity = cosine_rows(vectors, bought)
        if min_max_similarity:
            similarity = _rescaled(similarity, allowed)
        visual = settings.weight_visual * similarity
        popularity = popularity_match(
            products.normalized_popularity, shoppers.trendiness[rows], settings
        )
        between = products.category_similarity[products.categories[bought]]  # (b, n_categories)
        category = settings.weight_category * between[:, products.categories]
        relevance = np.where(allowed, visual + popularity + category, -np.inf)
        best = best_columns(relevance, settings.k)
        _store(found, block, best, relevance, visual, popularity, category)
    return found


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


def _empty(n_purchases: int, k: int) -> TopK:
    numbers = [np.full((n_purchases, k), np.nan) for _ in range(4)]
    return TopK(np.full((n_purchases, k), -1, dtype=np.int64), *numbers)


def _store(found: TopK, block: slice, best: np.ndarray, *scores: np.ndarray) -> None:
    """Write a block's best columns, and relevance and terms there, into `found`."""
    found.products[block] = best
    targets = (found.relevance, found.visual, found.popularity, found.category)
    for target, values in zip(targets, scores, strict=True):
        picked = np.take_along_axis(values, np.maximum(best, 0), axis=1)
        target[block] = np.where(best >= 0, picked, np.nan)
