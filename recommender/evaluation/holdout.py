"""Leave-one-out: would each shopper's last purchase have been recommended just before it?

History and popularity are those strictly before it. A random and a popularity ranker stand beside
the relevance, as simulated purchases ignore looks, and its popularity term alone.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

import numpy as np

from recommender.batch import GENDERS, blocks, compatible_genders
from recommender.evaluation.bootstrap import figure, mean_estimates
from recommender.evaluation.catalogue import Catalogue
from recommender.evaluation.metrics import ndcg_at_k, recall_at_k
from recommender.ranking import RankingSettings

LONG_LIST = 100  # recall there too: K is short where thousands of products could be next
SIMILARITIES = 64_000_000  # products of histories x all products at a time: 256 MB of float32
BLOCKING = 32  # times smaller blocks than elsewhere: the temporaries stay in the cache
TIE = 1e-6  # float32 cosines of equal vectors differ by less
POPULARITY, TREND, RANDOM = "popularity", "popularity near t", "random"


@dataclass(frozen=True)
class HeldOut:
    """A shopper's last purchase, and the products that they had bought before it."""

    shopper: int
    product: int
    time: float  # seconds since 1970
    history: np.ndarray  # (h,) positions of products, h >= 1


@dataclass(frozen=True)
class Ranks:
    """Where the held-out products came, of how many candidates; infinity is "not a candidate"."""

    ranks: np.ndarray  # (c,) float64, 1 is best
    n_candidates: np.ndarray  # (c,) int64


def held_out_purchases(
    catalogue: Catalogue, has_vector: np.ndarray
) -> tuple[list[HeldOut], dict[str, int]]:
    """The last purchases that can be predicted, oldest first, and how many shoppers are left out.

    Args:
        catalogue: with all purchases.
        has_vector: (n,) bool; a purchase without one can neither be ranked nor compared with.
    """
    history = catalogue.history
    cases: list[HeldOut] = []
    left_out: Counter[str] = Counter()
    rankable = has_vector & catalogue.is_active
    order = np.argsort(history.shoppers, kind="stable")  # chronological within a shopper
    _, starts = np.unique(history.shoppers[order], return_index=True)
    for rows in np.split(order, starts[1:]) if len(order) else []:
        last = rows[-1]
        earlier = np.unique(history.products[rows[history.times[rows] < history.times[last]]])
        product = int(history.products[last])
        reason = _reason_to_leave_out(len(rows), product, earlier, rankable)
        if reason:
            left_out[reason] += 1
            continue
        shopper = int(history.shoppers[last])
        cases.append(HeldOut(shopper, product, float(history.times[last]), earlier))
    return sorted(cases, key=lambda case: case.time), dict(left_out)


def _reason_to_leave_out(
    n_purchases: int, product: int, earlier: np.ndarray, rankable: np.ndarray
) -> str | None:
    if n_purchases < 2:
        return "one purchase only"
    if len(earlier) == 0:
        return "no purchase strictly before the last"
    if product in earlier:
        return "last product bought before"
    if not rankable[product]:
        return "last product not on sale or without a vector"
    if not rankable[earlier].any():
        return "no earlier product on sale with a vector"
    return None


def popularity_before(catalogue: Catalogue, cases: Sequence[HeldOut]) -> Iterator[np.ndarray]:
    """For each of the cases, which must be oldest first, (n,) base + purchases before its time."""
    history = catalogue.history
    counts = catalogue.base_popularity.copy()
    counted = 0
    for case in cases:
        upto = int(np.searchsorted(history.times, case.time, side="left"))
        np.add.at(counts, history.products[counted:upto], 1)
        counted = upto
        yield counts.copy()


def held_out_ranks(
    *,
    catalogue: Catalogue,
    cases: Sequence[HeldOut],
    vectors: Mapping[str, np.ndarray],
    has_vector: np.ndarray,
    settings: RankingSettings,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Ranks]:
    """Where every ranker puts the held-out products, all choosing among the same candidates.

    Args:
        catalogue: products, shoppers and purchases.
        cases: oldest first.
        vectors: per backbone (n, dimension); each becomes a ranker of that name.
        has_vector: (n,) bool, whether a product has all of these vectors.
        settings: of the relevance.
        on_progress: called with the cases done and their number.
    """
    names = [*vectors, TREND, POPULARITY]
    ranks = {name: np.full(len(cases), np.inf) for name in names}
    n_candidates = np.zeros(len(cases), dtype=np.int64)
    rankable = _rankable(catalogue, has_vector, settings)
    popularity = popularity_before(catalogue, cases)
    for part in _parts(cases, len(catalogue.product_ids)):
        similarities = {
            name: Similarities.of(catalogue, cases[part], matrix, has_vector, settings)
            for name, matrix in vectors.items()
        }
        for block in blocks(part.stop - part.start, BLOCKING * len(catalogue.product_ids)):
            rows = slice(part.start + block.start, part.start + block.stop)
            some = cases[rows]
            products = np.array([case.product for case in some])
            counts = np.stack(list(islice(popularity, len(some))))  # (b, n)
            allowed = _candidates(catalogue, some, rankable)
            n_candidates[rows] = np.count_nonzero(allowed, axis=1)
            ranks[POPULARITY][rows] = ranks_of(products, counts, allowed, tie=0)
            trend = _popularity_terms(catalogue, some, counts, settings)
            ranks[TREND][rows] = ranks_of(products, trend, allowed)
            for name, similarity in similarities.items():
                scores = similarity.best(some)
                scores += trend
                ranks[name][rows] = ranks_of(products, scores, allowed)
            on_progress(rows.stop, len(cases))
    return {name: Ranks(ranks[name], n_candidates) for name in names}


def ranks_of(
    products: np.ndarray, scores: np.ndarray, allowed: np.ndarray, *, tie: float = TIE
) -> np.ndarray:
    """(b,) ranks of `products` (b,) by score (b, n) among the allowed (b, n).

    Scores that differ by at most `tie` are equal, and then the smaller position is first; infinity
    where the product itself is not allowed.
    """
    rows = np.arange(len(products))
    own = scores[rows, products][:, None]
    ahead = scores > own + np.asarray(tie, dtype=scores.dtype)
    for row, product in enumerate(products):
        np.greater_equal(scores[row, :product], own[row] - tie, out=ahead[row, :product])
    ahead &= allowed
    ranks = 1.0 + np.count_nonzero(ahead, axis=1)
    return np.where(allowed[rows, products], ranks, np.inf)


@dataclass(frozen=True)
class Similarities:
    """w_v cos + w_c CatSim of everything that some shoppers had bought with all products."""

    rows: np.ndarray  # (n,) of `terms`, -1 for what was not bought or has no vector
    terms: np.ndarray  # (u, n) float32

    @classmethod
    def of(
        cls,
        catalogue: Catalogue,
        cases: Sequence[HeldOut],
        vectors: np.ndarray,
        has_vector: np.ndarray,
        settings: RankingSettings,
    ) -> Self:
        """For the histories of `cases`, as far as they have vectors."""
        bought = np.unique(np.concatenate([case.history for case in cases]))
        bought = bought[has_vector[bought]]
        rows = np.full(len(catalogue.product_ids), -1)
        rows[bought] = np.arange(len(bought))
        terms = np.float32(settings.weight_visual) * vectors[bought] @ vectors.T
        if settings.weight_category:
            between = settings.weight_category * catalogue.category_similarity
            of_bought = between.astype(np.float32)[catalogue.categories[bought]]
            terms += of_bought[:, catalogue.categories]
        return cls(rows, terms)

    def best(self, cases: Sequence[HeldOut]) -> np.ndarray:
        """(b, n) by the product of the history that suits each best."""
        found = np.empty((len(cases), self.terms.shape[1]), dtype=np.float32)
        for row, case in enumerate(cases):
            known = self.rows[case.history]
            np.max(self.terms[known[known >= 0]], axis=0, out=found[row])
        return found


def held_out_rows(
    cases: Sequence[HeldOut], ranks: Mapping[str, Ranks], *, k: int, seed: int
) -> list[dict[str, Any]]:
    """One row per ranker: recall, NDCG and hit rate at k in percent, and the percentile rank."""
    clusters = np.array([case.shopper for case in cases])
    some = next(iter(ranks.values()))
    rows = [_row(name, _values(ranker, k), clusters, seed=seed) for name, ranker in ranks.items()]
    return [*rows, _row(RANDOM, _expected_at_random(some, k), clusters, seed=seed)]


def _parts(cases: Sequence[HeldOut], n_products: int) -> Iterator[slice]:
    """Cases whose histories have so few different products that their similarities fit memory."""
    most = max(1, SIMILARITIES // n_products)
    start, bought = 0, set()
    for row, case in enumerate(cases):
        products = case.history.tolist()
        n_new = sum(product not in bought for product in products)
        if row > start and len(bought) + n_new > most:
            yield slice(start, row)
            start, bought = row, set()
        bought.update(products)
    if cases:
        yield slice(start, len(cases))


def _rankable(
    catalogue: Catalogue, has_vector: np.ndarray, settings: RankingSettings
) -> np.ndarray:
    """(5, n) bool: on sale, and of a gender that suits shoppers of each code."""
    rankable = catalogue.is_active & has_vector
    if settings.filter_gender:
        return compatible_genders()[:, catalogue.genders] & rankable
    return np.repeat(rankable[None, :], len(GENDERS), axis=0)


def _candidates(catalogue: Catalogue, cases: Sequence[HeldOut], rankable: np.ndarray) -> np.ndarray:
    """(b, n) bool: rankable (5, n) for the shopper, and not in the history."""
    allowed = rankable[catalogue.shopper_genders[[case.shopper for case in cases]]]
    for row, case in enumerate(cases):
        allowed[row, case.history] = False
    return allowed


def _popularity_terms(
    catalogue: Catalogue, cases: Sequence[HeldOut], counts: np.ndarray, settings: RankingSettings
) -> np.ndarray:
    """(b, n) float32, how well each product's popularity of that time suits the shopper.

    As `recommender.batch` computes it, in half the memory: TIE is far above the difference.
    """
    active = counts if catalogue.is_active.all() else counts[:, catalogue.is_active]
    low, high = active.min(axis=1, keepdims=True), active.max(axis=1, keepdims=True)
    terms = (counts - low).astype(np.float32)
    terms /= np.maximum(high - low, 1).astype(np.float32)  # NormPop, 0 where all are equal
    terms *= high > low
    terms -= catalogue.trendiness[[case.shopper for case in cases]].astype(np.float32)[:, None]
    np.abs(terms, out=terms)
    terms **= settings.penalty_exponent
    terms *= -np.float32(settings.weight_popularity)
    terms += np.float32(settings.weight_popularity)
    return terms


def _values(ranker: Ranks, k: int) -> dict[str, np.ndarray]:
    """(c,) each, in percent."""
    n_others = np.maximum(ranker.n_candidates - 1, 1)
    behind = np.where(np.isfinite(ranker.ranks), ranker.n_candidates - ranker.ranks, 0)
    alone = (ranker.n_candidates == 1) & (ranker.ranks == 1)
    return {
        "recall": 100 * recall_at_k(ranker.ranks, k),
        "ndcg": 100 * ndcg_at_k(ranker.ranks, k),
        f"recall_at_{LONG_LIST}": 100 * recall_at_k(ranker.ranks, LONG_LIST),
        "percentile_rank": np.where(alone, 100.0, 100 * behind / n_others),
    }


def _expected_at_random(some: Ranks, k: int) -> dict[str, np.ndarray]:
    """What `_values` is on average where every order of the candidates is equally likely."""
    n_candidates = np.maximum(some.n_candidates, 1)
    possible = np.isfinite(some.ranks)  # the same products are candidates for every ranker
    gains = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(1, k + 1) + 1))])
    values = {
        "recall": np.minimum(k, n_candidates) / n_candidates,
        "ndcg": gains[np.minimum(k, n_candidates)] / n_candidates,
        f"recall_at_{LONG_LIST}": np.minimum(LONG_LIST, n_candidates) / n_candidates,
        "percentile_rank": np.where(n_candidates == 1, 1.0, 0.5),
    }
    return {name: 100 * np.where(possible, value, 0.0) for name, value in values.items()}


def _row(
    name: str, values: Mapping[str, np.ndarray], clusters: np.ndarray, *, seed: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"ranker": name}
    for key, estimate in mean_estimates(values, clusters, seed=seed).items():
        row |= figure(key, estimate)
    # With one product to find, whoever finds it has all of it.
    row |= {f"hit_rate{suffix}": row[f"recall{suffix}"] for suffix in ("", "_interval", "_n")}
    return row | {"n_shoppers": len(clusters)}
