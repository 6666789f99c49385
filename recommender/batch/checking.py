"""The exact relevance of a few candidates of many purchases."""

import numpy as np

from recommender.batch.arrays import ProductArrays, PurchaseArrays, ShopperArrays, TopK
from recommender.batch.exact import TIE_DECIMALS
from recommender.batch.pairs import cosines
from recommender.batch.rescaling import CosineRanges
from recommender.ranking import RankingSettings


def checked(
    positions: np.ndarray,
    in_question: np.ndarray,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    ranges: CosineRanges,
) -> TopK:
    """The best of some candidates of `p` purchases by their relevance in float64.

    Args:
        positions: (p, c) candidates, no product twice in a row.
        in_question: (p, c) bool, which of them count.
        products: the catalogue.
        shoppers: whom for.
        purchases: the `p` purchases.
        settings: the weights, the exponent and k.
        ranges: of their visual terms.
    """
    rows, columns = np.nonzero(in_question)
    candidates, bought = positions[rows, columns], purchases.products[rows]
    visual = np.zeros(len(rows))
    if settings.weight_visual:
        above = cosines(products.vectors, bought, candidates) - ranges.low[rows]
        visual = settings.weight_visual * above / ranges.span[rows]
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
    best.merchandising[rows[order], place] = 0.0
    return best
