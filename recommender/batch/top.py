"""The best candidates of many purchases: short lists first, all candidates where those fail."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender.batch.arrays import ProductArrays, PurchaseArrays, ShopperArrays, TopK
from recommender.batch.bounded import Depth, bounded_top_k
from recommender.batch.exact import exact_top_k
from recommender.batch.shortened import is_worth_it, shortened
from recommender.batch.trending import trending_top_k
from recommender.ranking import RankingSettings

# With weights (.7, .2, .1) and (.7, .3, 0) the first proves every purchase at 6,620, 12,000 and
# 100,000 products; with (.3, .7, 0) it leaves 0.5% open at 100,000, and the second none.
DEPTHS = (Depth(128, 32), Depth(1_024, 256))
# By short vectors, at 100,000 products: 96% of the purchases (128: 38%, 256: 76%, 1,024: 99.8%).
BY_SHORT_VECTORS = Depth(n_neighbours=512, n_trending=32, n_spare=512)
N_TRIED = 512  # purchases, before all are
LEAST_PROVEN = 0.7  # of them


def top_k(
    *,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    min_max_similarity: bool = False,
    depths: Sequence[Depth] = DEPTHS,
) -> TopK:
    """The `settings.k` most relevant candidates of every purchase; ties go to the smaller key.

    Exact: purchases whose short lists prove nothing get longer ones, and then the whole catalogue.

    Args:
        products: the catalogue; `settings.backbone` is not read, its vectors are here.
        shoppers: whom for.
        purchases: compared with, each by one of the shoppers.
        settings: weights, exponent, k, and whether genders are filtered.
        min_max_similarity: rescale each purchase's similarities over its candidates to [0, 1]
            (1 where all are equal), as the paper's public code does and its text does not.
        depths: of the lists, shortest first.
    """
    world = {"products": products, "shoppers": shoppers, "settings": settings}
    found = TopK.empty(len(purchases.products), settings.k)
    open_rows = np.arange(len(purchases.products))
    if settings.weight_visual == settings.weight_category == 0:
        found, proven = trending_top_k(**world, purchases=purchases)
        open_rows = np.flatnonzero(~proven)
        depths = ()
    elif min_max_similarity:
        world["min_max_similarity"] = True
        depths = () if settings.weight_category else depths  # see `bounded_top_k`
    elif settings.weight_visual and depths and is_worth_it(products, purchases):
        found, proven = _by_short_vectors(world, purchases)
        open_rows = np.flatnonzero(~proven)
    for depth in depths:
        best, proven = bounded_top_k(**world, purchases=purchases.at(open_rows), depth=depth)
        found.put(open_rows, best)
        open_rows = open_rows[~proven]
    if len(open_rows):
        found.put(open_rows, exact_top_k(**world, purchases=purchases.at(open_rows)))
    return found


def _by_short_vectors(world: dict[str, Any], purchases: PurchaseArrays) -> tuple[TopK, np.ndarray]:
    """`bounded_top_k` by short vectors; nothing is proven where a sample shows that few would be.

    Vectors without main axes have rests so long that the bounds say little.
    """
    asked = world | {
        "depth": BY_SHORT_VECTORS,
        "short_vectors": shortened(world["products"].vectors),
    }
    n = len(purchases.products)
    sample = purchases.at(np.arange(0, n, max(1, n // N_TRIED)))
    _, proven = bounded_top_k(**asked, purchases=sample)
    if proven.mean() < LEAST_PROVEN:
        return TopK.empty(n, world["settings"].k), np.zeros(n, dtype=bool)
    return bounded_top_k(**asked, purchases=purchases)
