"""What recommendations are measured by, one value per recommendation, list or rank.

Arrays are addressed by position; a missing recommendation is -1 and measures NaN. Shapes:
(q,) per purchase, (q, k) per recommendation, (n,) per product. Nothing here averages.
"""

import numpy as np

from recommender.batch import GENDERS, best_columns, blocks

LISTS_PER_BLOCK = 64  # the sums of their vectors stay in the processor's cache
UNISEX = GENDERS.index("UNISEX")


def category_similarity_percent(
    recommended: np.ndarray,
    purchased: np.ndarray,
    categories: np.ndarray,
    category_similarity: np.ndarray,
) -> np.ndarray:
    """(q, k) CatSim of the purchased and the recommended product, 0 to 100."""
    rows = categories[purchased][:, None]
    return _where_given(recommended, 100 * category_similarity[rows, categories[recommended]])


def gender_match_percent(
    recommended: np.ndarray, shopper_genders: np.ndarray, genders: np.ndarray
) -> np.ndarray:
    """(q, k) 100 where the recommended product's gender is the shopper's, or either is UNISEX.

    Args:
        recommended: (q, k) products.
        shopper_genders: (q,) codes of whom each row is recommended to.
        genders: (n,) codes of the products.
    """
    wanted, given = shopper_genders[:, None], genders[recommended]
    matches = (wanted == given) | (wanted == UNISEX) | (given == UNISEX)
    return _where_given(recommended, 100.0 * matches)


def gender_match_without_unisex_percent(
    recommended: np.ndarray, shopper_genders: np.ndarray, genders: np.ndarray
) -> np.ndarray:
    """The same, with no value where the shopper or the product is UNISEX."""
    wanted, given = shopper_genders[:, None], genders[recommended]
    matches = gender_match_percent(recommended, shopper_genders, genders)
    return np.where((wanted == UNISEX) | (given == UNISEX), np.nan, matches)


def gender_chance_percent(
    shopper_genders: np.ndarray, candidate_genders: np.ndarray, *, with_unisex: bool
) -> np.ndarray:
    """(q,) what the gender match would be if products were recommended at random, unfiltered.

    Args:
        shopper_genders: (q,) codes.
        candidate_genders: (c,) codes of everything that could be recommended.
        with_unisex: whether UNISEX counts as a match, or has no value.
    """
    match = gender_match_percent if with_unisex else gender_match_without_unisex_percent
    everything = np.arange(len(candidate_genders))[None, :]
    chances = np.full(len(GENDERS), np.nan)
    for gender in np.unique(shopper_genders):
        values = match(everything, np.array([gender]), candidate_genders)
        if np.isfinite(values).any():
            chances[gender] = np.nanmean(values)
    return chances[shopper_genders]


def popularity_error_percent(
    recommended: np.ndarray, trendiness: np.ndarray, normalized_popularity: np.ndarray
) -> np.ndarray:
    """(q, k) |NormPop(v) - t| x 100, for shoppers of `trendiness` (q,); its mean is the MAE."""
    error = np.abs(normalized_popularity[recommended] - trendiness[:, None])
    return _where_given(recommended, 100 * error)


def novelty_bits(recommended: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """(q, k) self-information -log2 p(v) in bits, p being the share of all popularity, plus one.

    Larger is less known. Source: Zhou et al., PNAS 107(10), 2010, "surprisal"; adding one to every
    product's count is ours, so that a product never bought has a finite value.
    """
    share = (popularity + 1) / (popularity + 1).sum()
    return _where_given(recommended, -np.log2(share[recommended]))


def intra_list_diversity(recommended: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(q,) mean cosine distance between the products of a list; NaN for fewer than two.

    By the sum of a list's m unit vectors: its squared length is the sum of all m x m cosines.

    Source: Smyth and McClave, ICCBR 2001, with 1 - cosine as the dissimilarity.
    """
    n_listed = np.count_nonzero(recommended >= 0, axis=1)
    n_pairs = np.where(n_listed > 1, n_listed * (n_listed - 1), np.nan)  # ordered ones
    own = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)  # 1, but for rounding
    between = np.zeros(len(recommended))
    for start in range(0, len(recommended), LISTS_PER_BLOCK):
        block = slice(start, start + LISTS_PER_BLOCK)
        total = np.zeros((len(recommended[block]), vectors.shape[1]))
        for column in recommended[block].T:
            listed = column >= 0
            total[listed] += vectors[column[listed]]
            between[block][listed] -= own[column[listed]]
        between[block] += np.einsum("bd,bd->b", total, total)
    return 1 - between / n_pairs


def coverage_percent(recommended: np.ndarray, is_candidate: np.ndarray) -> float:
    """How much of what could be recommended was recommended to anyone, 0 to 100."""
    n_candidates = np.count_nonzero(is_candidate)
    return 100 * len(np.unique(recommended[recommended >= 0])) / n_candidates


def recall_at_k(ranks: np.ndarray, k: int) -> np.ndarray:
    """(q,) 1 where the one held-out product is among the first k (rank 1 is best).

    With one relevant product recall@k and the hit rate are the same number.
    """
    return (ranks <= k).astype(np.float64)


def ndcg_at_k(ranks: np.ndarray, k: int) -> np.ndarray:
    """(q,) 1 / log2(rank + 1) within the first k, else 0: NDCG@k with one relevant product.

    Source: Järvelin and Kekäläinen, TOIS 20(4), 2002; the ideal DCG is 1 here.
    """
    return np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0)


def same_category_precision(vectors: np.ndarray, categories: np.ndarray, k: int) -> np.ndarray:
    """(n,) share of each product's k nearest others (cosine) that have its category, in percent.

    Of fewer than k others, all. Cost: n x n cosines, block by block.
    """
    n_products = len(vectors)
    k = min(k, n_products - 1)
    precision = np.full(n_products, np.nan)
    if k < 1:
        return precision
    for block in blocks(n_products, n_products):
        similarity = vectors[block] @ vectors.T  # (b, n)
        own = np.arange(block.start, block.stop)
        similarity[own - block.start, own] = -np.inf
        nearest = best_columns(similarity, k)
        precision[block] = 100 * np.mean(categories[nearest] == categories[own][:, None], axis=1)
    return precision


def same_category_chance_percent(categories: np.ndarray) -> float:
    """What same_category_precision would be if neighbours were drawn at random."""
    n_products = len(categories)
    sizes = np.unique(categories, return_counts=True)[1].astype(np.float64)
    return float(100 * np.sum(sizes * (sizes - 1)) / (n_products * (n_products - 1)))


def _where_given(recommended: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.where(recommended >= 0, values, np.nan)
