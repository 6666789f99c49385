"""GraphQL types of recommendations; each explains itself in numbers that add up."""

from datetime import datetime
from typing import Self

import strawberry

from catalog.graphql_errors import checked_count
from catalog.types import Product, Store
from recommender import models, services
from recommender.ranking import RankingSettings
from shoppers.models import Purchase as PurchaseRow

Tier = strawberry.enum(
    models.Tier, description="PERSONAL: from purchases. POPULAR: in line with the trendiness."
)


@strawberry.input
class RelevanceWeights:
    """Weights to use instead of the profile's; what is left out stays as it is there."""

    visual: float | None = None
    popularity: float | None = None
    category: float | None = None
    penalty_exponent: float | None = None


@strawberry.input
class LatLng:
    """A point on Earth, in degrees."""

    latitude: float
    longitude: float


@strawberry.type
class RankingProfile:
    """The weights and settings that an answer was ranked with."""

    name: str
    visual: float
    popularity: float
    category: float
    penalty_exponent: float
    k: int
    filter_gender: bool
    backbone: str | None

    @classmethod
    def of(cls, settings: RankingSettings) -> Self:
        """The GraphQL form of `settings`."""
        return cls(
            name=settings.profile_name,
            visual=settings.weight_visual,
            popularity=settings.weight_popularity,
            category=settings.weight_category,
            penalty_exponent=settings.penalty_exponent,
            k=settings.k,
            filter_gender=settings.filter_gender,
            backbone=settings.backbone and settings.backbone.name,
        )


@strawberry.type
class RelevanceTerms:
    """The weighted terms, which add up to the relevance, and the similarities in them."""

    visual: float
    popularity: float
    category: float
    visual_similarity: float
    category_similarity: float


@strawberry.type
class Recommendation:
    """A recommended product, why, and where it is."""

    product: Product
    relevance: float
    terms: RelevanceTerms
    normalized_popularity: float
    store: Store | None = strawberry.field(description="The nearest store that has it in stock.")
    distance_km: float | None

    @classmethod
    def of(cls, item: services.Recommendation) -> Self:
        """The GraphQL form of `item`."""
        place = item.availability
        return cls(
            product=item.product,
            relevance=item.relevance,
            terms=item.terms,
            normalized_popularity=item.normalized_popularity,
            store=place and place.store,
            distance_km=place and place.distance_km,
        )


@strawberry.type
class Purchase:
    """Something that the shopper bought."""

    product: Product
    purchased_at: datetime

    @classmethod
    def of(cls, row: PurchaseRow) -> Self:
        """The GraphQL form of `row`."""
        return cls(product=row.product, purchased_at=row.purchased_at)


@strawberry.type
class PurchaseRail:
    """What goes with one purchase, most relevant first."""

    purchase: Purchase
    items: list[Recommendation]


@strawberry.type
class RecommendationSet:
    """One answer; its id is that of the stored log entry."""

    answer: strawberry.Private[services.RecommendationSet]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """The key of the stored log entry."""
        return strawberry.ID(str(self.answer.id))

    @strawberry.field
    def tier(self) -> Tier:
        """How much was known about the shopper."""
        return self.answer.tier

    @strawberry.field
    def profile(self) -> RankingProfile:
        """What the answer was ranked with."""
        return RankingProfile.of(self.answer.settings)

    @strawberry.field
    def rails(self) -> list[PurchaseRail]:
        """The top k of each purchase, newest purchase first."""
        return [
            PurchaseRail(
                purchase=Purchase.of(rail.purchase),
                items=[Recommendation.of(item) for item in rail.items],
            )
            for rail in self.answer.rails
        ]

    @strawberry.field
    def items(self, first: int = 10) -> list[Recommendation]:
        """The rails merged: each product once, at its highest relevance."""
        return [Recommendation.of(i) for i in self.answer.items[: checked_count("first", first)]]
