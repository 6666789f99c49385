"""The shop's rules in lists for everybody: what is boosted or buried, and what is pinned.

Lists of everybody were asked for no category, and they merge rails: their pins are those of
everywhere, and a category's boosts count beside what was bought of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from recommender.batch import PurchaseArrays, ShopperArrays, TopK, top_k
from recommender.batch.few import best_of_both, top_k_of_few
from recommender.batch.loading import LoadedProducts
from recommender.merchandising.rules import Rules
from recommender.ranking import RankingSettings


@dataclass(frozen=True)
class Merchandising:
    """The rules that hold, by position in the catalogue."""

    boosted: np.ndarray  # (m,) ascending positions
    beside: np.ndarray  # (c, m) what is added beside a product of each category
    everywhere: np.ndarray  # (n,) what is added to each product where nothing was bought
    pins: Sequence[tuple[int, int]]  # place, and position in the catalogue, by place

    @classmethod
    def of(cls, rules: Rules, products: LoadedProducts) -> Self:
        """The rules of products that are known."""
        position = _positions(products.arrays.product_ids)
        row = _positions(products.category_ids)
        boosts = [boost for boost in rules.boosts if position(boost.product_id) is not None]
        boosted = np.unique(np.array([position(b.product_id) for b in boosts], dtype=np.int64))
        everywhere = np.zeros(len(products.arrays.product_ids))
        for boost in boosts:
            if boost.category_id is None:
                everywhere[position(boost.product_id)] = boost.amount
        beside = np.tile(everywhere[boosted], (len(products.category_ids), 1))
        for boost in boosts:
            if boost.category_id is not None:  # in place of the one for everywhere
                column = np.searchsorted(boosted, position(boost.product_id))
                beside[row(boost.category_id), column] = boost.amount
        pins = [(pin.position, position(pin.product_id)) for pin in rules.pins_of_list(None)]
        return cls(boosted, beside, everywhere, [pin for pin in pins if pin[1] is not None])

    def of_one(self, position: int) -> np.ndarray:
        """(c, 1) what is added to one product beside a product of each category."""
        (columns,) = np.nonzero(self.boosted == position)
        return self.beside[:, columns] if len(columns) else np.zeros((len(self.beside), 1))


def top_k_with_boosts(
    products: LoadedProducts,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    merchandising: Merchandising,
) -> TopK:
    """What `recommender.batch.top_k` gives, with the shop's boosts in the relevance.

    Exact: the best of all other products, and every one of those few.
    """
    asked = {"shoppers": shoppers, "purchases": purchases, "settings": settings}
    few = merchandising.boosted
    if len(few) == 0:
        return top_k(products=products.arrays, **asked)
    is_candidate = products.arrays.is_candidate.copy()
    is_candidate[few] = False
    others = top_k(products=replace(products.arrays, is_candidate=is_candidate), **asked)
    boosted = top_k_of_few(products=products.arrays, few=few, boosts=merchandising.beside, **asked)
    return best_of_both(others, boosted)


def _positions(keys: np.ndarray) -> Callable[[int], int | None]:
    """Where a key is among ascending ones; None: nowhere."""

    def position(key: int) -> int | None:
        place = int(np.searchsorted(keys, key))
        return place if place < len(keys) and keys[place] == key else None

    return position
