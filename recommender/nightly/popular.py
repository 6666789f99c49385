"""Lists for those whose purchases lead to nothing."""

from dataclasses import replace

import numpy as np

from recommender.batch import PurchaseArrays, ShopperArrays, top_k
from recommender.batch.few import top_k_of_few
from recommender.batch.loading import LoadedProducts
from recommender.nightly.list_rows import Lists
from recommender.nightly.merchandising import Merchandising
from recommender.ranking import RankingSettings

# Where popularity has no weight, what is nearer to t still comes first.
NEXT_TO_NOTHING = 1e-6


def popular_lists(
    products: LoadedProducts,
    shoppers: ShopperArrays,
    rows: np.ndarray,
    settings: RankingSettings,
    shop: Merchandising,
    *,
    length: int,
) -> Lists:
    """For the shoppers at `rows`: products on sale by |NormPop - t|, with a vector or without.

    Where the shop boosts or buries something, by the popularity term and that.
    """
    found = _candidates(products, shoppers, rows, settings, shop, length)
    lists = popular_rows(products, shoppers, rows, settings, shop, found)
    return lists.at(lists.ranks <= length)


def popular_rows(
    products: LoadedProducts,
    shoppers: ShopperArrays,
    rows: np.ndarray,
    settings: RankingSettings,
    shop: Merchandising,
    found: np.ndarray,
) -> Lists:
    """The products `found` (s, l), -1 for none, of the shoppers at `rows`, in their order."""
    popularity = products.arrays.normalized_popularity[found]
    gap = np.abs(popularity - shoppers.trendiness[rows, None])  # (s, l)
    term = settings.weight_popularity * (1 - gap**settings.penalty_exponent)
    boosts = shop.everywhere[found]
    relevance = np.where(found >= 0, term + boosts, -np.inf)
    first = relevance if len(shop.boosted) else found >= 0
    order = np.lexsort((found, gap, -first.astype(np.float64)), axis=1)
    places = np.nonzero(np.take_along_axis(found, order, axis=1) >= 0)
    chosen = places[0], order[places]
    none = np.zeros(len(chosen[0]))
    return Lists(
        shoppers=rows[chosen[0]],
        ranks=places[1] + 1,
        products=found[chosen],
        because_of=np.full(len(none), -1),
        terms=np.stack((relevance[chosen], none, term[chosen], none, boosts[chosen]), axis=1),
        pinned=np.zeros(len(none), dtype=bool),
    )


def _candidates(
    products: LoadedProducts,
    shoppers: ShopperArrays,
    rows: np.ndarray,
    settings: RankingSettings,
    shop: Merchandising,
    length: int,
) -> np.ndarray:
    """(s, l) positions, -1 for none: the nearest to t, and the best of what the shop boosts."""
    is_other = products.is_active.copy()
    is_other[shop.boosted] = False
    others = replace(products.arrays, is_candidate=is_other)
    alone = replace(
        settings,
        weight_visual=0.0,
        weight_popularity=settings.weight_popularity or NEXT_TO_NOTHING,
        weight_category=0.0,
        k=length,
    )
    by_distance = replace(alone, weight_popularity=1.0, penalty_exponent=1.0)
    nobodys = PurchaseArrays(rows, np.zeros(len(rows), np.int64))  # their products have no weight
    asked = {"shoppers": shoppers, "purchases": nobodys}
    nearest = top_k(products=others, settings=by_distance, **asked)
    if len(shop.boosted) == 0:
        return nearest.products
    boosted = top_k_of_few(
        products=replace(products.arrays, is_candidate=products.is_active),
        settings=alone,
        few=shop.boosted,
        boosts=np.tile(shop.everywhere[shop.boosted], (len(products.category_ids), 1)),
        **asked,
    )
    return np.hstack([nearest.products, boosted.products])
