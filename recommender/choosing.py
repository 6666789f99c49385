"""Which of the ranked products a list shows: the most relevant ones, or ones unlike each other."""

from collections.abc import Callable, Sequence

import numpy as np

from embeddings.models import ProductVector
from recommender.answers import Because, Recommendation
from recommender.availability import ShownProduct
from recommender.diversity import maximal_marginal_relevance
from recommender.history import Act
from recommender.ranking import RankingSettings
from recommender.relevance import RankedProduct

POOL = 4  # times what a list shows is what it is chosen from, where that is not by relevance
MAX_REORDERED = 200  # of a merged list, which is read to its hundredth row

Pools = dict[Because | None, list[Recommendation]]  # None: compared with nothing
Choice = Callable[[Sequence[Recommendation], int | None], list[Recommendation]]


def pools_of(
    acts: Sequence[Act], ranked: Sequence[RankedProduct], shown: dict[int, ShownProduct]
) -> Pools:
    """The ranked products as they are shown, by what they were compared with; never with itself.

    Every act has a pool, maybe an empty one; what was deleted since it was ranked is in none.
    """
    because = {
        act.key: Because(act.key, act.kind, shown[act.product_id].product, act.at)
        for act in acts
        if act.product_id in shown
    }
    pools: Pools = {of: [] for of in because.values()}
    for row in ranked:
        of = because.get(row.purchase_id)
        is_orphan = of is None and row.purchase_id is not None
        is_itself = of is not None and of.product.pk == row.product_id
        if row.product_id in shown and not (is_orphan or is_itself):
            pools.setdefault(of, []).append(_explained(row, of, shown[row.product_id]))
    return pools


def by_relevance(items: Sequence[Recommendation], n: int | None) -> list[Recommendation]:
    """The `n` most relevant (or all) of items that come most relevant first."""
    return list(items[:n])


def by_marginal_relevance(pools: Pools, settings: RankingSettings, diversity: float) -> Choice:
    """A choice of `n` items (or all), each relevant and unlike those before it. One query.

    A product without a vector is like no other one.
    """
    keys = sorted({item.product.pk for pool in pools.values() for item in pool})
    rows = ProductVector.objects.filter(backbone=settings.backbone, product__in=keys)
    vectors = {
        pk: np.asarray(vector, dtype=np.float32)
        for pk, vector in rows.values_list("product_id", "vector")
    }

    def choose(items: Sequence[Recommendation], n: int | None) -> list[Recommendation]:
        pool = items if n is not None else items[:MAX_REORDERED]
        if not pool or not vectors:
            return by_relevance(items, n)
        order = maximal_marginal_relevance(*_arrays(pool, vectors), diversity, n or len(pool))
        return [pool[place] for place in order] + list(items[len(pool) :])

    return choose


def _arrays(
    items: Sequence[Recommendation], vectors: dict[int, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) relevance and (n, dimension) vectors, zero where there is none."""
    nothing = np.zeros_like(next(iter(vectors.values())))
    matrix = np.stack([vectors.get(item.product.pk, nothing) for item in items])
    return np.array([item.relevance for item in items]), matrix


def _explained(row: RankedProduct, because: Because | None, shown: ShownProduct) -> Recommendation:
    return Recommendation(
        because=because,
        product=shown.product,
        terms=row.terms,
        normalized_popularity=row.normalized_popularity,
        availability=shown.availability,
    )
