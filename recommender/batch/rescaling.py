"""Over which range of cosines the visual term goes from 0 to w_v."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.batch.arrays import ProductArrays, PurchaseArrays, ShopperArrays
from recommender.batch.exact import TIE_DECIMALS
from recommender.batch.pairs import cosines, is_bought

N_EXTREMES = 8  # at either end: whoever owns all of them is left to the exact path


@dataclass(frozen=True)
class CosineRanges:
    """The visual term of `p` purchases is w_v (cos - low) / span; NaN where that is not known."""

    low: np.ndarray  # (p,)
    span: np.ndarray  # (p,)

    @classmethod
    def raw(cls, n_purchases: int) -> Self:
        """The visual term is w_v cos."""
        return cls(np.zeros(n_purchases), np.ones(n_purchases))

    @classmethod
    def of_candidates(
        cls,
        extremes: np.ndarray,
        products: ProductArrays,
        shoppers: ShopperArrays,
        purchases: PurchaseArrays,
    ) -> Self:
        """The range over what each shopper does not own; NaN where all of it ties.

        Args:
            extremes: (p, 2 N_EXTREMES) positions of the least and of the most similar candidates,
                each from the outside in.
            products: the catalogue.
            shoppers: whom for.
            purchases: the `p` purchases.
        """
        owned = is_bought(shoppers, purchases.shoppers, extremes)
        low, high = (
            _first_cosine(extremes[:, side], owned[:, side], products, purchases)
            for side in (slice(None, N_EXTREMES), slice(N_EXTREMES, None))
        )
        return cls(low, np.where(high - low > 10.0**-TIE_DECIMALS, high - low, np.nan))


def extreme_places(scores: np.ndarray) -> np.ndarray:
    """(a, 2 N_EXTREMES) columns of the lowest and of the highest of scores (a, m), outside in.

    Where m is too small for both, some columns are in both.
    """
    m = scores.shape[1]
    first, last = min(N_EXTREMES, m) - 1, max(m - N_EXTREMES, 0)
    order = np.argpartition(scores, sorted({first, last}), axis=1)
    lowest = _sorted(scores, order[:, : first + 1])
    highest = _sorted(scores, order[:, last:])[:, ::-1]
    rest = np.minimum(np.arange(N_EXTREMES), m - 1)
    return np.hstack([lowest[:, rest], highest[:, rest]])


def _first_cosine(
    positions: np.ndarray, owned: np.ndarray, products: ProductArrays, purchases: PurchaseArrays
) -> np.ndarray:
    """(p,) the cosine of the first that is not owned, NaN where there is none."""
    first = np.argmin(owned, axis=1)[:, None]
    chosen = np.take_along_axis(positions, first, axis=1)[:, 0]
    cosine = cosines(products.vectors, purchases.products, chosen)
    return np.where(owned.all(axis=1), np.nan, cosine)


def _sorted(scores: np.ndarray, columns: np.ndarray) -> np.ndarray:
    order = np.argsort(np.take_along_axis(scores, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)
