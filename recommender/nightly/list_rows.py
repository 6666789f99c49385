"""Lists of many shoppers as columns, one row per recommendation."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from recommender.batch import PurchaseArrays, TopK


@dataclass(frozen=True)
class Lists:
    """`r` rows, by shopper and rank; positions in the batch and in the catalogue."""

    shoppers: np.ndarray  # (r,)
    ranks: np.ndarray  # (r,) from 1
    products: np.ndarray  # (r,)
    because_of: np.ndarray  # (r,) the bought product; -1: none, popularity alone
    terms: np.ndarray  # (r, 5) relevance, visual, popularity, category, merchandising
    pinned: np.ndarray  # (r,) bool: the shop gave it this place

    def at(self, rows: np.ndarray) -> Self:
        """Some of the rows: indices or (r,) bool."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


def merged(best: TopK, purchases: PurchaseArrays, *, length: int) -> Lists:
    """Each shopper's rails in one list: a product once, where it is most relevant.

    Rails come newest purchase first; of equal relevance the newer one explains it, and in the list
    the smaller key is first.
    """
    rows, places = np.nonzero(best.products >= 0)
    shoppers, found = purchases.shoppers[rows], best.products[rows, places]
    relevance = best.relevance[rows, places]
    by_product = np.lexsort((-relevance, found, shoppers))
    is_first = np.ones(len(by_product), dtype=bool)
    is_first[1:] = (np.diff(shoppers[by_product]) != 0) | (np.diff(found[by_product]) != 0)
    once = by_product[is_first]
    once = once[np.lexsort((found[once], -relevance[once], shoppers[once]))]
    ranks = np.arange(len(once)) - np.searchsorted(shoppers[once], shoppers[once])
    once, ranks = once[ranks < length], ranks[ranks < length]
    rows, places = rows[once], places[once]
    terms = (best.relevance, best.visual, best.popularity, best.category, best.merchandising)
    return Lists(
        shoppers=shoppers[once],
        ranks=ranks + 1,
        products=found[once],
        because_of=purchases.products[rows],
        terms=np.stack([term[rows, places] for term in terms], axis=1),
        pinned=np.zeros(len(once), dtype=bool),
    )


def in_order(*parts: Lists) -> Lists:
    """All rows by shopper and rank."""
    lists = Lists(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Lists))
    )
    return lists.at(np.lexsort((lists.ranks, lists.shoppers)))


def ranked_anew(lists: Lists) -> Lists:
    """The rows, which are in order, with ranks from 1 without gaps."""
    ranks = np.arange(len(lists.ranks)) - np.searchsorted(lists.shoppers, lists.shoppers) + 1
    return replace(lists, ranks=ranks)
