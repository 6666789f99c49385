"""Every one of a few products for many purchases: those that the shop boosts, buries or pins."""

from dataclasses import fields

import numpy as np

from recommender.batch.arrays import (
    ProductArrays,
    PurchaseArrays,
    ShopperArrays,
    TopK,
    compatible_genders,
)
from recommender.batch.exact import (
    TIE_DECIMALS,
    best_columns,
    blocks,
    picked,
    popularity_match,
)
from recommender.batch.pairs import is_bought
from recommender.ranking import RankingSettings


def top_k_of_few(
    *,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    few: np.ndarray,
    boosts: np.ndarray,
) -> TopK:
    """The `settings.k` best of some products for every purchase; ties go to the smaller key.

    Args:
        products: the catalogue.
        shoppers: whom for.
        purchases: compared with.
        settings: weights, exponent, k, and whether genders are filtered.
        few: (m,) ascending positions of the products.
        boosts: (c, m) what is added to their relevance beside a product of each category.
    """
    found = TopK.empty(len(purchases.products), settings.k)
    for block in blocks(len(purchases.products), max(len(few), 1)):
        asked = purchases.at(block)
        terms = _terms(products, shoppers, asked, settings, few, boosts)
        relevance = np.sum(terms, axis=0)
        relevance[~_allowed(products, shoppers, asked, settings, few)] = -np.inf
        columns = best_columns(relevance, settings.k)
        positions = np.where(columns >= 0, few[np.maximum(columns, 0)], -1)
        best = TopK(positions, *(picked(columns, term) for term in (relevance, *terms)))
        found.put(block, best)
    return found


def best_of_both(one: TopK, other: TopK) -> TopK:
    """The k best of each purchase in two rankings of different products."""
    both = [
        np.hstack([getattr(one, field.name), getattr(other, field.name)]) for field in fields(TopK)
    ]
    products, relevance = both[0], np.round(both[1], TIE_DECIMALS)
    order = np.lexsort((products, np.where(products >= 0, -relevance, np.inf)), axis=1)
    k = one.products.shape[1]
    return TopK(*(np.take_along_axis(values, order[:, :k], axis=1) for values in both))


def _terms(
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    few: np.ndarray,
    boosts: np.ndarray,
) -> list[np.ndarray]:
    """Visual, popularity, category and merchandising, each (b, m)."""
    unique, inverse = np.unique(purchases.products, return_inverse=True)
    cosines = products.vectors[unique].astype(np.float64) @ products.vectors[few].T
    bought_categories = products.categories[purchases.products]
    match = popularity_match(
        products.normalized_popularity[few], shoppers.trendiness[purchases.shoppers], settings
    )
    alike = products.category_similarity[bought_categories][:, products.categories[few]]
    return [
        settings.weight_visual * cosines[inverse],
        match,
        settings.weight_category * alike,
        boosts[bought_categories],
    ]


def _allowed(
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    few: np.ndarray,
) -> np.ndarray:
    """(b, m) bool: what may be recommended to whom."""
    positions = np.broadcast_to(few, (len(purchases.products), len(few)))
    allowed = products.is_candidate[positions] & ~is_bought(shoppers, purchases.shoppers, positions)
    if settings.filter_gender:
        genders = shoppers.genders[purchases.shoppers]
        allowed &= compatible_genders()[genders][:, products.genders[few]]
    return allowed
