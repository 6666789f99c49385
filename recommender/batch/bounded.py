"""The answers of `exact`, from short lists and a bound on everything that is not in them.

For one purchase no product outside its lists can exceed

    (worst visual and category terms in the list of neighbours)
        + w_p (1 - |distance from t to the ends of the list of trending products|^gamma),

so where the k-th best inside is above that, the answer is exact; the others are reported as not
proven. A bought product's neighbours are found once for everyone who bought it. Their terms may be
computed from shorter vectors, and then are bounds themselves: what may be among the best by its
bound is looked at with its full vector.

Source: Fagin, Lotem and Naor, Optimal Aggregation Algorithms for Middleware (2003), the threshold
algorithm, with both lists read to a fixed depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommender.batch.arrays import ProductArrays, PurchaseArrays, ShopperArrays, TopK
from recommender.batch.checking import checked
from recommender.batch.exact import TIE_DECIMALS, popularity_match
from recommender.batch.pairs import is_bought
from recommender.batch.pools import Pool, pools, weighted_features
from recommender.batch.rescaling import CosineRanges, extreme_places
from recommender.batch.trending import trending_candidates
from recommender.ranking import RankingSettings

SCORES_PER_BLOCK = 8_000_000  # bought products x candidates at a time: 32 MB of float32
SAMPLING = 8  # every eighth candidate tells where the list of neighbours ends
PURCHASES_PER_CHUNK = 2_048  # their lists fit the processor's cache


@dataclass(frozen=True)
class Depth:
    """How many candidates are looked at."""

    n_neighbours: int  # of each bought product, roughly
    n_trending: int  # of each purchase, on either side of t
    n_spare: int = 19  # ranked beyond k: what the shopper owns already, and near ties


@dataclass(frozen=True)
class Neighbours:
    """The best of `a` bought products by visual and category terms.

    All that are strictly above the threshold, some `Depth.n_neighbours`; -inf fills shorter rows.
    """

    bought: np.ndarray  # (a,) positions
    scores: np.ndarray  # (a, m) float32, of all candidates
    places: np.ndarray  # (a, l) in the pool
    values: np.ndarray  # (a, l) float32, their scores
    thresholds: np.ndarray  # (a,) float32: no candidate outside exceeds it; -inf: there is none


@dataclass(frozen=True)
class Listed:
    """The lists of `p` purchases side by side; -inf stands for nothing.

    Relevance is in units of w_v cos: where cosines are rescaled to a range, it is the popularity
    term that is stretched by the range's span, so that neighbours serve all who bought the same.
    """

    places: np.ndarray  # (p, l) in the pool
    relevance: np.ndarray  # (p, l) float64, too low by at most `rounding_error`
    unseen: np.ndarray  # (p,) what no candidate outside exceeds


def bounded_top_k(
    *,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    depth: Depth,
    min_max_similarity: bool = False,
    short_vectors: np.ndarray | None = None,
) -> tuple[TopK, np.ndarray]:
    """The best candidates, and (q,) bool whether they are proven to be; see `top_k`.

    `min_max_similarity` needs a category weight of 0: the neighbours have one order then, however
    a purchase rescales them; nor can it do with `short_vectors`, see `shortened`.
    """
    vectors = products.vectors if short_vectors is None else short_vectors
    found = TopK.empty(len(purchases.products), settings.k)
    proven = np.zeros(len(purchases.products), dtype=bool)
    for pool, rows in pools(products, shoppers, purchases, settings, vectors):
        if len(pool.products) == 0:
            proven[rows] = True
            continue
        given = (products, purchases, rows, settings, depth, vectors)
        for neighbours, chunk in _blocks(pool, *given):
            asked = purchases.at(chunk)
            ranges = CosineRanges.raw(len(chunk))
            if min_max_similarity:
                ranges = _ranges(pool, neighbours, products, shoppers, asked)
            listed = _listed(pool, neighbours, shoppers, asked, settings, ranges, depth)
            listed = _shortlist(listed, settings.k + depth.n_spare)
            best, proven[chunk] = _best(pool, listed, products, shoppers, asked, settings, ranges)
            found.put(chunk, best)
    return found, proven


def rounding_error(products: ProductArrays, settings: RankingSettings) -> float:
    """How far a float32 sum of products can be from w_v cos + w_c CatSim.

    Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1: n u times
    the sum of the absolute products, which unit vectors keep below the weights.
    """
    n_terms = products.vectors.shape[1] + len(products.category_similarity) + 8
    weights = settings.weight_visual + settings.weight_category
    return n_terms * weights * float(np.finfo(np.float32).eps) / 2


def _blocks(
    pool: Pool,
    products: ProductArrays,
    purchases: PurchaseArrays,
    rows: np.ndarray,
    settings: RankingSettings,
    depth: Depth,
    vectors: np.ndarray,
) -> Iterator[tuple[Neighbours, np.ndarray]]:
    """Rows, which are ordered by bought product, in chunks with the neighbours that they need."""
    bought, starts = np.unique(purchases.products[rows], return_index=True)
    ends = np.append(starts[1:], len(rows))
    size = max(1, SCORES_PER_BLOCK // len(pool.products))
    for first in range(0, len(bought), size):
        some = slice(first, first + size)
        neighbours = _neighbours(pool, products, bought[some], settings, depth, vectors)
        start, end = starts[some][0], ends[some][-1]
        for at in range(start, end, PURCHASES_PER_CHUNK):
            yield neighbours, rows[at : min(at + PURCHASES_PER_CHUNK, end)]


def _neighbours(
    pool: Pool,
    products: ProductArrays,
    bought: np.ndarray,
    settings: RankingSettings,
    depth: Depth,
    vectors: np.ndarray,
) -> Neighbours:
    scores = weighted_features(products, bought, settings, vectors) @ pool.features.T  # (a, m)
    if scores.shape[1] <= 2 * depth.n_neighbours:
        places = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
        return Neighbours(bought, scores, places, scores, np.full(len(bought), -np.inf))
    thresholds = _thresholds(scores, depth.n_neighbours)
    places, is_filled = _above(scores, thresholds)
    values = np.where(is_filled, np.take_along_axis(scores, places, axis=1), -np.inf)
    return Neighbours(bought, scores, places, values, thresholds)


def _thresholds(scores: np.ndarray, n: int) -> np.ndarray:
    """(a,) a score of each row (a, m) that some `n` others exceed, estimated from a sample.

    Selecting exactly `n` took as long as computing the scores; any number near it does as well.
    """
    sample = scores[:, ::SAMPLING]
    rank = max(1, n // SAMPLING)
    thresholds = np.partition(sample, -rank, axis=1)[:, -rank]
    n_above = np.count_nonzero(scores > thresholds[:, None], axis=1)
    for row in np.flatnonzero(n_above > 2 * n):  # rows that the sample missed
        thresholds[row] = np.partition(scores[row], -n)[-n]
    return thresholds


def _above(scores: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns above each row's threshold, (a, most of any row), and which of these are filled."""
    is_above = scores > thresholds[:, None]
    n_above = np.count_nonzero(is_above, axis=1)
    is_filled = np.arange(n_above.max()) < n_above[:, None]
    places = np.zeros(is_filled.shape, dtype=np.int64)
    places[is_filled] = np.flatnonzero(is_above) % scores.shape[1]
    return places, is_filled


def _ranges(
    pool: Pool,
    neighbours: Neighbours,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
) -> CosineRanges:
    bought, inverse = np.unique(purchases.products, return_inverse=True)
    scores = neighbours.scores[np.searchsorted(neighbours.bought, bought)]
    extremes = pool.products[extreme_places(scores)][inverse]
    return CosineRanges.of_candidates(extremes, products, shoppers, purchases)


def _listed(
    pool: Pool,
    neighbours: Neighbours,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    ranges: CosineRanges,
    depth: Depth,
) -> Listed:
    bought = np.searchsorted(neighbours.bought, purchases.products)  # (p,) rows of neighbours
    trendiness = shoppers.trendiness[purchases.shoppers]
    trending = trending_candidates(pool, trendiness, depth.n_trending)
    trending_scores = neighbours.scores[bought[:, None], trending.places]
    is_new = trending.is_filled & (trending_scores <= neighbours.thresholds[bought][:, None])
    places = np.hstack([neighbours.places[bought], trending.places])  # (p, l)
    scores = np.hstack(
        [neighbours.values[bought], np.where(is_new, trending_scores, -np.inf)], dtype=np.float64
    )
    match = popularity_match(pool.popularity[places], trendiness, settings)
    unseen = neighbours.thresholds[bought] + ranges.span * trending.match_outside(settings)
    return Listed(places, scores + ranges.span[:, None] * match, unseen)


def _best(
    pool: Pool,
    listed: Listed,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    ranges: CosineRanges,
) -> tuple[TopK, np.ndarray]:
    """The best of the lists by exact relevance, and whether nothing else can be better."""
    error = rounding_error(products, settings)
    positions, relevance = pool.products[listed.places], listed.relevance
    relevance[is_bought(shoppers, purchases.shoppers, positions)] = -np.inf
    asked = (products, shoppers, purchases, settings, ranges)
    kth = np.sort(relevance, axis=1)[:, -min(settings.k, relevance.shape[1])]
    first = (relevance >= kth[:, None]) & (relevance > -np.inf)
    worst = _worst(checked(positions, first, *asked), settings, ranges)
    in_question = (relevance >= (worst - error)[:, None]) & (relevance > -np.inf)
    best = checked(positions, in_question, *asked)
    worst = _worst(best, settings, ranges)
    no_more = listed.unseen == -np.inf
    return best, no_more | (worst > listed.unseen + error + 10.0**-TIE_DECIMALS)


def _worst(best: TopK, settings: RankingSettings, ranges: CosineRanges) -> np.ndarray:
    """(p,) the k-th best relevance, in the units of `Listed`; -inf where there are fewer."""
    last = ranges.span * best.relevance[:, -1] + settings.weight_visual * ranges.low
    return np.where(best.products[:, -1] >= 0, last, -np.inf)


def _shortlist(listed: Listed, n: int) -> Listed:
    """The `n` most relevant of the lists; the others become unseen."""
    n_outside = listed.relevance.shape[1] - n
    if n_outside <= 0:
        return listed
    order = np.argpartition(listed.relevance, n_outside - 1, axis=1)[:, n_outside - 1 :]
    relevance = np.take_along_axis(listed.relevance, order, axis=1)
    places = np.take_along_axis(listed.places, order[:, 1:], axis=1)
    return Listed(places, relevance[:, 1:], np.maximum(listed.unseen, relevance[:, 0]))
