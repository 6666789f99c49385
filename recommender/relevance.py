"""What a ranking is asked and what it answers: the relevance of candidates for one shopper.

    relevance(v | a, t) =
        w_v cos(e_a, e_v) + w_p (1 - |NormPop(v) - t|^gamma) + w_c CatSim(c_a, c_v)
        + w_d proximity(v) + merchandising(v | a)

The last two terms are ours: one is 0 unless a weight is given (`recommender.proximity`), the other
unless the shop boosts or buries the product (`recommender.merchandising.rules`).

Source: the trend-aware recommendation paper that the README names, with the raw cosine (its public
code normalises similarities per purchase) and, so that an odd gamma works too, the power of the
absolute difference. `recommender.formula` has it in SQL; `recommender.exact` and
`recommender.candidates` differ only in which products they see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from recommender.merchandising.rules import Boost


@dataclass(frozen=True)
class Subquery:
    """SQL of a subquery, and the values that it names."""

    sql: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """Whom to rank for: trendiness, the products to compare with, and which candidates count."""

    trendiness: float
    purchase_ids: Sequence[int]
    product_ids: Sequence[int]  # bought in those purchases, in the same order
    excluded_product_ids: Sequence[int]
    genders: Sequence[str]
    category_ids: Sequence[int] | None = None  # None: of any category
    price_range: tuple[float, float] | None = None  # both ends count; None: at any or no price
    store_ids: Sequence[int] | None = None  # in stock in one of them; None: anywhere or nowhere
    selection: Subquery | None = None  # of product keys: whatever else must hold; None: nothing
    proximities: Subquery | None = None  # of stores' (id, proximity); None: near to nobody
    boosts: Sequence[Boost] = ()  # by the shop; of other products the term is 0

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the genders limits the candidates."""
        filters = (self.category_ids, self.price_range, self.store_ids, self.selection)
        return any(given is not None for given in filters)

    @property
    def listed_category_id(self) -> int | None:
        """The category that was asked for, where it is just one."""
        asked = self.category_ids
        return asked[0] if asked is not None and len(asked) == 1 else None

    def only(self, purchase_ids: set[int]) -> Self:
        """The same question about some of the purchases."""
        kept = [
            pair
            for pair in zip(self.purchase_ids, self.product_ids, strict=True)
            if pair[0] in purchase_ids
        ]
        return replace(
            self, purchase_ids=[pair[0] for pair in kept], product_ids=[pair[1] for pair in kept]
        )


@dataclass(frozen=True)
class Terms:
    """The weighted terms, which add up to the relevance, and the similarities in them."""

    visual: float
    popularity: float
    category: float
    visual_similarity: float
    category_similarity: float
    proximity: float = 0.0
    store_proximity: float = 0.0
    merchandising: float = 0.0

    @property
    def relevance(self) -> float:
        """The sum of the weighted terms."""
        return self.visual + self.popularity + self.category + self.proximity + self.merchandising


@dataclass(frozen=True)
class RankedProduct:
    """A candidate that made the top k of one purchase (or, without purchases, of the shopper)."""

    purchase_id: int | None
    product_id: int
    normalized_popularity: float
    terms: Terms


def ranked(row: Sequence[Any]) -> RankedProduct:
    """A row of any ranking statement: its columns are the fields, those of the terms last."""
    purchase_id, product_id, normalized_popularity, *terms = row
    return RankedProduct(purchase_id, product_id, normalized_popularity, Terms(*terms))
