"""What an answer to one shopper or session consists of."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.models import Product
from recommender.availability import Availability
from recommender.models import Tier
from recommender.ranking import RankingSettings
from recommender.reasons import reason_of
from recommender.relevance import Terms


@dataclass(frozen=True)
class Because:
    """What a rail is compared with: somebody bought this then, or did something else with it."""

    key: int  # of the purchase or event
    kind: str  # of `Event.Kind`
    product: Product
    at: datetime


@dataclass(frozen=True)
class Recommendation:
    """A recommended product with everything that explains it."""

    because: Because | None  # what it was compared with; None in the POPULAR tier
    product: Product
    terms: Terms
    normalized_popularity: float
    availability: Availability | None
    pinned: bool = False  # the shop gave it this place, whatever its relevance

    @property
    def product_id(self) -> int:
        """The product's key."""
        return self.product.pk

    @property
    def relevance(self) -> float:
        """The sum of the weighted terms."""
        return self.terms.relevance

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return reason_of(self)


@dataclass(frozen=True)
class Rail:
    """What goes with one product of the history, most relevant first."""

    because: Because
    items: list[Recommendation]
    proven: bool  # no product that was not looked at can enter it, up to the index's recall


@dataclass(frozen=True)
class RecommendationSet:
    """One answer: `items` merges the rails, each product once, at its highest relevance.

    Pins of a category are in its rails only, those of the whole list in `items` only.
    """

    id: uuid.UUID
    tier: Tier
    settings: RankingSettings
    rails: list[Rail]
    items: list[Recommendation]

    @property
    def merchandised(self) -> list[int]:
        """Keys of the products that the shop pinned, boosted or buried."""
        shown = [*self.items, *(item for rail in self.rails for item in rail.items)]
        return sorted({i.product_id for i in shown if i.pinned or i.terms.merchandising})


def merged(recommendations: Sequence[Recommendation]) -> list[Recommendation]:
    """Each product once, at its highest relevance; most relevant first, then the smaller key."""
    best: dict[int, Recommendation] = {}
    for item in recommendations:
        known = best.get(item.product.pk)
        if known is None or item.relevance > known.relevance:
            best[item.product.pk] = item
    return sorted(best.values(), key=lambda item: (-item.relevance, item.product.pk))
