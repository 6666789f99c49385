"""Shoppers in batches, with what they bought and what is not to be recommended to them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.batch import PurchaseArrays, ShopperArrays
from recommender.batch.loading import GENDER_CODE, integer_rows
from recommender.history import MAX_RAILS
from shoppers.models import Event, Purchase, Shopper


@dataclass(frozen=True)
class ShopperBatch:
    """`s` shoppers in ascending order of their keys."""

    external_ids: list[str]
    arrays: ShopperArrays
    purchases: PurchaseArrays  # those to compare with: per shopper newest first, each product once


def shopper_batches(product_ids: np.ndarray, size: int) -> Iterator[ShopperBatch]:
    """All shoppers, `size` at a time; `product_ids` (n,) ascending say which products are known.

    Who comes while this runs is among the last, and purchases of newer products are left out.
    Cost: three queries a batch.
    """
    last_key = 0
    fields = ("pk", "external_id", "gender", "trendiness")
    while rows := list(
        Shopper.objects.filter(pk__gt=last_key).order_by("pk").values_list(*fields)[:size]
    ):
        keys = np.array([row[0] for row in rows], dtype=np.int64)
        last_key = int(keys[-1])
        bought = _bought(keys, product_ids)
        owned = np.concatenate([bought, _unwanted(keys, product_ids)])
        arrays = ShopperArrays(
            genders=np.array([GENDER_CODE[row[2]] for row in rows], np.int8),
            trendiness=np.array([row[3] for row in rows], np.float64),
            purchased=_matrix(owned, (len(keys), len(product_ids))),
        )
        yield ShopperBatch([row[1] for row in rows], arrays, _compared(bought))


def _bought(keys: np.ndarray, product_ids: np.ndarray) -> np.ndarray:
    """(p, 2) positions of shoppers and products: by shopper, newest first."""
    rows = Purchase.objects.filter(shopper_id__gte=keys[0], shopper_id__lte=keys[-1])
    newest_first = rows.order_by("shopper_id", "-purchased_at", "-pk")
    return _positions(
        integer_rows(newest_first.values_list("shopper_id", "product_id"), 2), keys, product_ids
    )


def _unwanted(keys: np.ndarray, product_ids: np.ndarray) -> np.ndarray:
    """(p, 2) positions of shoppers and of products that they dismissed or returned."""
    rows = Event.objects.filter(shopper_id__gte=keys[0], shopper_id__lte=keys[-1]).unwanted()
    pairs = rows.order_by().values_list("shopper_id", "product_id").distinct()
    return _positions(integer_rows(pairs, 2), keys, product_ids)


def _positions(pairs: np.ndarray, keys: np.ndarray, product_ids: np.ndarray) -> np.ndarray:
    known = np.isin(pairs[:, 0], keys) & np.isin(pairs[:, 1], product_ids)
    shoppers, products = pairs[known].T
    return np.stack(
        [np.searchsorted(keys, shoppers), np.searchsorted(product_ids, products)], axis=1
    )


def _matrix(pairs: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=shape)


def _compared(bought: np.ndarray) -> PurchaseArrays:
    """The newest purchases of each shopper, each product once, at most MAX_RAILS."""
    _, first = np.unique(bought, axis=0, return_index=True)
    newest = bought[np.sort(first)]
    shoppers = newest[:, 0]  # ascending
    rail = np.arange(len(shoppers)) - np.searchsorted(shoppers, shoppers)
    newest = newest[rail < MAX_RAILS]
    return PurchaseArrays(shoppers=newest[:, 0], products=newest[:, 1])
