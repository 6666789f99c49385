"""What batch ranking takes and gives: products, shoppers, purchases, and their best candidates."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from scipy import sparse

from catalog.models import Gender

GENDERS = list(Gender)  # a gender's code is its position here


@dataclass(frozen=True)
class ProductArrays:
    """What ranking knows of `n` products, in ascending order of their keys.

    A product without a vector has a row of zeros and is no candidate.
    """

    product_ids: np.ndarray  # (n,) int64
    vectors: np.ndarray  # (n, dimension) float32, L2-normalised
    is_candidate: np.ndarray  # (n,) bool: active, with a vector
    genders: np.ndarray  # (n,) int8, codes
    categories: np.ndarray  # (n,) int64, rows of category_similarity
    normalized_popularity: np.ndarray  # (n,) float64 in [0, 1]
    category_similarity: np.ndarray  # (n_categories, n_categories) float64


@dataclass(frozen=True)
class ShopperArrays:
    """Whom to rank for, `s` shoppers."""

    genders: np.ndarray  # (s,) int8, codes
    trendiness: np.ndarray  # (s,) float64 in [0, 1]
    purchased: sparse.csr_array  # (s, n) bool: what is never recommended to them


@dataclass(frozen=True)
class PurchaseArrays:
    """The `q` purchases that candidates are compared with."""

    shoppers: np.ndarray  # (q,) positions
    products: np.ndarray  # (q,) positions

    def at(self, rows: np.ndarray) -> Self:
        """Some of them: indices or (q,) bool."""
        return type(self)(self.shoppers[rows], self.products[rows])


@dataclass(frozen=True)
class TopK:
    """Per purchase the best candidates, best first.

    All are (q, k). Where fewer than k candidates exist, the product is -1 and the rest NaN.
    """

    products: np.ndarray  # int64 positions
    relevance: np.ndarray  # float64, the sum of the weighted terms
    visual: np.ndarray
    popularity: np.ndarray
    category: np.ndarray
    merchandising: np.ndarray

    @classmethod
    def empty(cls, n_purchases: int, k: int) -> Self:
        """Nothing found yet."""
        numbers = [np.full((n_purchases, k), np.nan) for _ in range(5)]
        return cls(np.full((n_purchases, k), -1, dtype=np.int64), *numbers)

    def at(self, rows: np.ndarray) -> Self:
        """Those of some purchases: indices or (q,) bool."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def put(self, rows: np.ndarray | slice, others: Self) -> None:
        """Write what was found for the purchases at `rows`."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(others, field.name)


def compatible_genders() -> np.ndarray:
    """(5, 5) bool: row = the shopper's gender code, column = the product's."""
    return np.array([[other in gender.compatible() for other in GENDERS] for gender in GENDERS])


def normalized_popularity(popularity: np.ndarray, is_active: np.ndarray) -> np.ndarray:
    """Min-max over the active products, and 0 where they are all equal: NormPop.

    Args:
        popularity: (..., n) counts; one row per moment, or a single row.
        is_active: (n,) bool.

    Returns:
        (..., n) float64, in [0, 1] for active products.
    """
    active = np.asarray(popularity, dtype=np.float64)[..., is_active]
    if active.shape[-1] == 0:
        return np.zeros(np.shape(popularity))
    low = active.min(axis=-1, keepdims=True)
    span = active.max(axis=-1, keepdims=True) - low
    return np.where(span > 0, (popularity - low) / np.where(span > 0, span, 1), 0.0)
