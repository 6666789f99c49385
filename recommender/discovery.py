"""GraphQL queries that need no shopper: what goes with a product, and what is rising."""

import enum
from collections.abc import Sequence
from typing import Annotated

import strawberry
from django.utils import timezone
from strawberry import relay

from catalog.graphql_connections import After, First, RankedPage
from catalog.graphql_cost import SEARCH, cost
from catalog.graphql_errors import bad_user_input, not_found
from catalog.models import Product as ProductRow
from catalog.schema import ItemId
from catalog.types import Gender, Product
from recommender import related
from recommender.merchandising.rules import with_rules
from recommender.related import RelatedProduct, related_products
from recommender.trending import shown_rising_products
from recommender.types import RelevanceTerms


@strawberry.enum
class RecommendationIntent(enum.Enum):
    """What a product page asks for."""

    RELATED = strawberry.enum_value(
        related.Intent.RELATED,
        description="The default profile's relevance, for a shopper of trendiness 0.5.",
    )
    COMPLEMENTARY = strawberry.enum_value(
        related.Intent.COMPLEMENTARY,
        description="To wear with it, from other groups: bought together first, then what suits by "
        "category and colour.",
    )
    VISUAL = strawberry.enum_value(
        related.Intent.VISUAL, description="Looks alike, as `similarProducts` says."
    )
    TRENDING = strawberry.enum_value(
        related.Intent.TRENDING, description="Rising within its category, over 30 days."
    )


@strawberry.enum
class TrendWindow(enum.Enum):
    """How far back purchases count; they are compared with as long a time before."""

    DAY = strawberry.enum_value(1, description="24 hours.")
    WEEK = strawberry.enum_value(7, description="7 days.")
    MONTH = strawberry.enum_value(30, description="30 days.")


@strawberry.type
class ProductRecommendationEdge:
    """A product for the page of another one, in its place, and why."""

    cursor: str = strawberry.field(description="For `after`.")
    node: Product = strawberry.field(description="The product.")
    score: float = strawberry.field(
        description="Larger is better: the relevance, the cosine, the rise in purchases, or, for "
        "COMPLEMENTARY, 0 to 1 within each reason."
    )
    reason: str = strawberry.field(description="Why, in one sentence.")
    terms: RelevanceTerms | None = strawberry.field(
        description="Why, in numbers; for RELATED only.", metadata=cost(0)
    )
    pinned: bool = strawberry.field(
        description="Whether the shop gave it this place; for RELATED only."
    )


@strawberry.type
class ProductRecommendationConnection:
    """Products for the page of another one, best first; at most 100 in all."""

    page_info: relay.PageInfo = strawberry.field(description="Whether and where it goes on.")
    edges: list[ProductRecommendationEdge] = strawberry.field(
        description="The products of this page.", metadata=cost(0)
    )


@strawberry.type
class TrendingProductEdge:
    """A product that sells better than before, in its place."""

    cursor: str = strawberry.field(description="For `after`.")
    node: Product = strawberry.field(description="The product.")
    rise: float = strawberry.field(
        description="Purchases of the window less those of the one before, older ones discounted."
    )
    n_recent: int = strawberry.field(description="Purchases in the window.")
    n_before: int = strawberry.field(description="Purchases in the window before.")


@strawberry.type
class TrendingProductConnection:
    """Products that sell better than before, the steepest rise first; at most 100 in all."""

    page_info: relay.PageInfo = strawberry.field(description="Whether and where it goes on.")
    edges: list[TrendingProductEdge] = strawberry.field(
        description="The products of this page.", metadata=cost(0)
    )


@strawberry.type
class DiscoveryQuery:
    """What goes with a product, and what is rising."""

    @strawberry.field(metadata=cost(SEARCH))
    def product_recommendations(
        self,
        item_id: ItemId,
        intent: Annotated[
            RecommendationIntent, strawberry.argument(description="What they are for.")
        ] = RecommendationIntent.RELATED,
        first: First = None,
        after: After = None,
    ) -> ProductRecommendationConnection:
        """Products for the page of this one."""
        page = RankedPage.of(first, after)
        product = with_rules(ProductRow.objects.active().select_related("category"))
        product = product.named([item_id]).first()
        if product is None:
            raise not_found("No such product.")
        found = related_products(
            product=product, intent=intent.value, n=page.n_needed, now=timezone.now()
        )
        return _recommended(page, found)

    @strawberry.field(metadata=cost(SEARCH))
    def trending(
        self,
        window: Annotated[
            TrendWindow, strawberry.argument(description="How far back purchases count.")
        ] = TrendWindow.WEEK,
        half_life_days: Annotated[
            float | None,
            strawberry.argument(
                description="After how long a purchase counts half; half the window if not said."
            ),
        ] = None,
        gender: Annotated[
            list[Gender] | None, strawberry.argument(description="Made for exactly these.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> TrendingProductConnection:
        """What sells better than before, up to the latest purchase; counted once a minute."""
        page = RankedPage.of(first, after)
        try:
            rising = shown_rising_products(
                window_days=window.value,
                half_life_days=window.value / 2 if half_life_days is None else half_life_days,
                now=timezone.now(),
                genders=None if gender is None else [chosen.value for chosen in gender],
            )
        except ValueError as error:
            raise bad_user_input(str(error)) from error
        rows = related.loaded([r.product_id for r in rising])
        rising = [r for r in rising if r.product_id in rows]
        edges = [
            TrendingProductEdge(
                cursor=cursor,
                node=rows[r.product_id],
                rise=r.rise,
                n_recent=r.n_recent,
                n_before=r.n_before,
            )
            for cursor, r in page.ranked(rising)
        ]
        return TrendingProductConnection(page_info=page.info(rising), edges=edges)


def _recommended(
    page: RankedPage, found: Sequence[RelatedProduct]
) -> ProductRecommendationConnection:
    rows = related.loaded([r.product_id for r in found])
    kept = [r for r in found if r.product_id in rows]  # not gone since they were ranked
    edges = [
        ProductRecommendationEdge(
            cursor=cursor,
            node=rows[r.product_id],
            score=r.score,
            reason=r.reason,
            terms=r.terms,
            pinned=r.pinned,
        )
        for cursor, r in page.ranked(kept)
    ]
    return ProductRecommendationConnection(page_info=page.info(kept), edges=edges)
