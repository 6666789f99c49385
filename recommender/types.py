"""GraphQL types of recommendations; each explains itself in numbers that add up."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from django.utils import timezone
from strawberry import relay

from catalog.graphql_connections import After, First, RankedPage
from catalog.graphql_cost import cost
from catalog.graphql_errors import checked_count
from catalog.types import Product, Store
from recommender import answers, models
from recommender.history import MAX_RAILS, Exclusion
from recommender.ranking import RankingSettings
from recommender.stored_sets import SetExpired, read_set
from recommender.visibility import visible_set
from shoppers.models import Event
from shoppers.mutations import EventKind

DEFAULT_RAILS = 5

Tier = strawberry.enum(
    models.Tier,
    description="PERSONAL: from purchases, before the first one from carts, favourites and views. "
    "POPULAR: in line with the trendiness.",
)


@strawberry.input
class RelevanceWeights:
    """Weights to use instead of the profile's; what is left out stays as it is there."""

    visual: float | None = strawberry.field(default=None, description="w_v, 0 or more.")
    popularity: float | None = strawberry.field(default=None, description="w_p, 0 or more.")
    category: float | None = strawberry.field(default=None, description="w_c, 0 or more.")
    proximity: float | None = strawberry.field(
        default=None,
        description="w_d, 0 or more, of exp(-km / 10) to the nearest store that has it.",
    )
    penalty_exponent: float | None = strawberry.field(
        default=None, description="gamma, above 0 to 20; larger forgives more."
    )


@strawberry.input
class RecommendationExclusion:
    """What is left out for what the shopper did with it; what is not said stays as it is."""

    seen: bool = strawberry.field(
        default=False, description="What they viewed, or were shown in an earlier set."
    )
    bought: bool = strawberry.field(default=True, description="What they bought.")
    returned: bool = strawberry.field(default=True, description="What they sent back.")
    dismissed: bool = strawberry.field(default=True, description="What they dismissed.")
    since: datetime | None = strawberry.field(
        default=None,
        description="Only for what they did from then on; ever, where not said. Without a zone it "
        "is UTC. Nothing is recommended for being like itself.",
    )

    def exclusion(self) -> Exclusion:
        """What the service takes."""
        since = self.since
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        return Exclusion(self.seen, self.bought, self.returned, self.dismissed, since)


@strawberry.type
class RankingProfile:
    """The weights and settings that an answer was ranked with."""

    name: str = strawberry.field(description="The profile that they began as.")
    visual: float = strawberry.field(description="w_v.")
    popularity: float = strawberry.field(description="w_p.")
    category: float = strawberry.field(description="w_c.")
    proximity: float = strawberry.field(description="w_d.")
    penalty_exponent: float = strawberry.field(description="gamma.")
    k: int = strawberry.field(description="Recommendations per purchase.")
    filter_gender: bool = strawberry.field(description="Whether other genders are left out.")
    backbone: str | None = strawberry.field(description="The network whose vectors were compared.")

    @classmethod
    def of(cls, settings: RankingSettings) -> Self:
        """The GraphQL form of `settings`."""
        return cls(
            name=settings.profile_name,
            visual=settings.weight_visual,
            popularity=settings.weight_popularity,
            category=settings.weight_category,
            proximity=settings.weight_proximity,
            penalty_exponent=settings.penalty_exponent,
            k=settings.k,
            filter_gender=settings.filter_gender,
            backbone=settings.backbone and settings.backbone.name,
        )


@strawberry.type
class RelevanceTerms:
    """The weighted terms, which add up to the relevance, and the similarities in them."""

    visual: float = strawberry.field(description="w_v times the visual similarity.")
    popularity: float = strawberry.field(description="w_p times the fit of the popularity.")
    category: float = strawberry.field(description="w_c times the category similarity.")
    visual_similarity: float = strawberry.field(description="The cosine, -1 to 1.")
    category_similarity: float = strawberry.field(description="CatSim, 0 to 1.")
    proximity: float = strawberry.field(description="w_d times the proximity of a store.")
    store_proximity: float = strawberry.field(
        description="exp(-km / 10) to the nearest store that has it, 0 to 1; 0 where w_d is 0."
    )
    merchandising: float = strawberry.field(
        description="What the shop adds to boost it; negative where it buries it."
    )


def _reason(self: "RecommendationEdge") -> str:
    return self.item.reason


@strawberry.type
class RecommendationEdge:
    """A recommended product, why, and where it is."""

    item: strawberry.Private[answers.Recommendation]
    cursor: str = strawberry.field(description="For `after`.")
    node: Product = strawberry.field(description="The product.")
    relevance: float = strawberry.field(description="The sum of the weighted terms.")
    pinned: bool = strawberry.field(
        description="Whether the shop gave it this place, whatever its relevance."
    )
    reason: str = strawberry.field(resolver=_reason, description="Why, in one sentence.")
    terms: RelevanceTerms = strawberry.field(description="Why, in numbers.", metadata=cost(0))
    normalized_popularity: float = strawberry.field(
        description="NormPop: 0 the least and 1 the most popular of the catalogue."
    )
    store: Store | None = strawberry.field(description="The nearest store that has it in stock.")
    distance_km: float | None = strawberry.field(description="How far that store is.")

    @classmethod
    def of(cls, cursor: str, item: answers.Recommendation) -> Self:
        """The GraphQL form of `item`."""
        place = item.availability
        return cls(
            item=item,
            cursor=cursor,
            node=item.product,
            relevance=item.relevance,
            pinned=item.pinned,
            terms=item.terms,
            normalized_popularity=item.normalized_popularity,
            store=place and place.store,
            distance_km=place and place.distance_km,
        )


@strawberry.type
class RecommendationConnection:
    """A page of recommendations."""

    page_info: relay.PageInfo = strawberry.field(description="Whether and where it goes on.")
    edges: list[RecommendationEdge] = strawberry.field(
        description="The recommendations of this page.", metadata=cost(0)
    )
    total_count: int = strawberry.field(description="How many there are on all pages.")

    @classmethod
    def of(cls, items: Sequence[answers.Recommendation], page: RankedPage) -> Self:
        """The page of `items` that was asked for."""
        edges = [RecommendationEdge.of(cursor, item) for cursor, item in page.ranked(items)]
        return cls(page_info=page.info(items), edges=edges, total_count=len(items))


@strawberry.type
class Because:
    """What somebody did with a product that theirs are compared with."""

    kind: EventKind = strawberry.field(
        description="PURCHASE; before somebody's first one CART, FAVOURITE or VIEW."
    )
    product: Product = strawberry.field(description="With what; it may be on sale no more.")
    occurred_at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, because: answers.Because) -> Self:
        """The GraphQL form of `because`."""
        kind = Event.Kind(because.kind)
        return cls(kind=kind, product=because.product, occurred_at=because.at)


@strawberry.type
class RecommendationRail:
    """What goes with one product that somebody bought or looked at, most relevant first."""

    rail: strawberry.Private[answers.Rail]
    set_id: strawberry.Private[UUID]

    @strawberry.field
    def because(self) -> Because:
        """What these are compared with."""
        return Because.of(self.rail.because)

    @strawberry.field
    def proven(self) -> bool:
        """No product that was not looked at can enter it, up to the index's own recall."""
        return self.rail.proven

    @strawberry.field
    def items(self, first: First = None, after: After = None) -> RecommendationConnection:
        """Its top k, most relevant first."""
        page = RankedPage.of(first, after, f"{self.set_id}/{self.rail.because.key}")
        return RecommendationConnection.of(self.rail.items, page)


@strawberry.type
class RecommendationSet(relay.Node):
    """One answer to one shopper or session, kept for 24 hours; its id goes with its events."""

    key: relay.NodeID[str]
    answer: strawberry.Private[answers.RecommendationSet]

    @classmethod
    def of(cls, answer: answers.RecommendationSet) -> Self:
        """The GraphQL form of `answer`."""
        return cls(key=str(answer.id), answer=answer)

    @staticmethod
    def is_key(text: str) -> bool:
        """Whether `text` spells a key that a set could have."""
        try:
            return str(UUID(text)) == text
        except ValueError:
            return False

    @classmethod
    def resolve_node(
        cls, node_id: str, *, info: strawberry.Info, required: bool = False
    ) -> Self | None:
        """The set with this key; None where the caller may not read it, or it has expired."""
        log = visible_set(info.context.request, UUID(node_id))
        try:
            return log and cls.of(read_set(log, now=timezone.now()))
        except SetExpired:
            return None

    @strawberry.field
    def tier(self) -> Tier:
        """How much was known about the shopper."""
        return self.answer.tier

    @strawberry.field(metadata=cost(0))
    def profile(self) -> RankingProfile:
        """What the answer was ranked with."""
        return RankingProfile.of(self.answer.settings)

    @strawberry.field(metadata=cost(1, items=DEFAULT_RAILS))
    def rails(
        self,
        first: Annotated[
            int, strawberry.argument(description="For how many purchases, 1 to 20.")
        ] = DEFAULT_RAILS,
    ) -> list[RecommendationRail]:
        """One for each of the latest purchases, the newest first; none in the POPULAR tier.

        Who bought nothing yet gets them for what they put into the cart, liked or looked at.
        """
        n_rails = checked_count("first", first, at_most=MAX_RAILS)
        return [
            RecommendationRail(rail=rail, set_id=self.answer.id)
            for rail in self.answer.rails[:n_rails]
        ]

    @strawberry.field
    def items(self, first: First = None, after: After = None) -> RecommendationConnection:
        """The rails merged: each product once, at its highest relevance."""
        page = RankedPage.of(first, after, str(self.answer.id))
        return RecommendationConnection.of(self.answer.items, page)
