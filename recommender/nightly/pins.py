"""Pins in lists of many shoppers."""

from dataclasses import replace

import numpy as np

from recommender.batch import compatible_genders
from recommender.batch.few import top_k_of_few
from recommender.batch.loading import LoadedProducts
from recommender.batch.pairs import is_bought
from recommender.nightly.list_rows import Lists, in_order, merged, ranked_anew
from recommender.nightly.merchandising import Merchandising
from recommender.nightly.popular import popular_rows
from recommender.nightly.shoppers import ShopperBatch
from recommender.ranking import RankingSettings

NOWHERE = np.iinfo(np.int64).max


def with_pins(
    lists: Lists,
    products: LoadedProducts,
    batch: ShopperBatch,
    settings: RankingSettings,
    shop: Merchandising,
    *,
    length: int,
) -> Lists:
    """The first `length` of each list, with what the shop pins in its places.

    As `recommender.merchandising.pins` does for one.
    """
    personal = np.unique(lists.shoppers[lists.because_of >= 0])
    pinned = [position for _, position in shop.pins]
    lists = ranked_anew(lists.at(~np.isin(lists.products, pinned)))
    for place, position in shop.pins:
        rows = _with_reason(products, batch, personal, settings, shop, position)
        lists = _inserted(lists, rows, place, len(batch.external_ids))
    return lists.at(lists.ranks <= length)


def _inserted(lists: Lists, rows: Lists, place: int, n_shoppers: int) -> Lists:
    """The lists with one more row for some shoppers: there, or last where a list is shorter."""
    lengths = np.bincount(lists.shoppers, minlength=n_shoppers)
    places = np.full(n_shoppers, NOWHERE)
    places[rows.shoppers] = np.minimum(place, lengths[rows.shoppers] + 1)
    moved = replace(lists, ranks=lists.ranks + (lists.ranks >= places[lists.shoppers]))
    is_pinned = np.ones(len(rows.shoppers), dtype=bool)
    return in_order(moved, replace(rows, ranks=places[rows.shoppers], pinned=is_pinned))


def _with_reason(
    products: LoadedProducts,
    batch: ShopperBatch,
    personal: np.ndarray,
    settings: RankingSettings,
    shop: Merchandising,
    position: int,
) -> Lists:
    """One product for all who may have it, with its terms; `personal` are those with rails."""
    is_personal = np.isin(batch.purchases.shoppers, personal)
    purchases = batch.purchases.at(is_personal)
    best = top_k_of_few(
        products=products.arrays,
        shoppers=batch.arrays,
        purchases=purchases,
        settings=replace(settings, k=1),
        few=np.array([position]),
        boosts=shop.of_one(position),
    )
    others = np.setdiff1d(np.arange(len(batch.external_ids)), personal)
    found = np.where(_may_have(products, batch, others, settings, position), position, -1)
    popular = popular_rows(products, batch.arrays, others, settings, shop, found[:, None])
    return in_order(merged(best, purchases, length=1), popular)


def _may_have(
    products: LoadedProducts,
    batch: ShopperBatch,
    rows: np.ndarray,
    settings: RankingSettings,
    position: int,
) -> np.ndarray:
    """(s,) bool: which of the shoppers at `rows` could be recommended the product."""
    owned = is_bought(batch.arrays, rows, np.full((len(rows), 1), position))[:, 0]
    if not products.is_active[position]:
        return np.zeros(len(rows), dtype=bool)
    if not settings.filter_gender:
        return ~owned
    gender = products.arrays.genders[position]
    return ~owned & compatible_genders()[batch.arrays.genders[rows], gender]
