"""Recommendations for a product page: alike, complementary, or rising, whoever looks at it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.models import Gender, Product
from embeddings.neighbours import similar_products
from embeddings.preference import best_backbone_with_vectors
from recommender.complements import complementary_products
from recommender.ranking import RankingSettings, default_profile
from recommender.relevance import Query, Terms
from recommender.retrieval import rank_for_purchases
from recommender.trending import rising_products

NEUTRAL_TRENDINESS = 0.5  # of nobody in particular: neither follows nor avoids the crowd
CATEGORY_WINDOW_DAYS = 30
CATEGORY_HALF_LIFE_DAYS = 7.0


class Intent(enum.Enum):
    """What a product page asks for; the GraphQL enum describes each."""

    RELATED = "related"
    COMPLEMENTARY = "complementary"
    VISUAL = "visual"
    TRENDING = "trending"


@dataclass(frozen=True)
class RelatedProduct:
    """A product for the page of another one; `score` is in the intent's own measure."""

    product_id: int
    score: float
    reason: str
    terms: Terms | None = None


def related_products(
    *, product: Product, intent: Intent, n: int, now: datetime
) -> list[RelatedProduct]:
    """At most `n` active products of compatible gender for the page of `product`, best first."""
    if intent is Intent.RELATED:
        return _by_relevance(product, n)
    if intent is Intent.VISUAL:
        return _by_looks(product, n)
    if intent is Intent.TRENDING:
        return _by_rise(product, n, now)
    return [
        RelatedProduct(c.product_id, c.score, c.reason)
        for c in complementary_products(product=product, n=n)
    ]


def _by_relevance(product: Product, n: int) -> list[RelatedProduct]:
    """The default profile's relevance, as if a shopper of middling trendiness had bought it."""
    settings = RankingSettings.from_profile(default_profile()).with_changes(k=n)
    if settings.backbone is None:
        return []
    genders = Gender(product.gender).compatible() if settings.filter_gender else Gender
    query = Query(
        trendiness=NEUTRAL_TRENDINESS,
        purchase_ids=[product.pk],  # any key will do, there is one
        product_ids=[product.pk],
        excluded_product_ids=[product.pk],
        genders=sorted(gender.value for gender in genders),
    )
    return [
        RelatedProduct(row.product_id, row.terms.relevance, _strongest(row.terms), row.terms)
        for row in rank_for_purchases(query, settings).rows
    ]


def _strongest(terms: Terms) -> str:
    parts = {
        "It looks alike": terms.visual,
        "Its popularity suits": terms.popularity,
        "It is of a similar kind": terms.category,
    }
    strongest = max(parts, key=parts.get)
    return f"{strongest}: {parts[strongest]:.2f} of a relevance of {terms.relevance:.2f}."


def _by_looks(product: Product, n: int) -> list[RelatedProduct]:
    backbone = best_backbone_with_vectors()
    if backbone is None:
        return []
    return [
        RelatedProduct(
            neighbour.product_id,
            neighbour.cosine_similarity,
            f"It looks alike, with a cosine of {neighbour.cosine_similarity:.2f}.",
        )
        for neighbour in similar_products(product=product, backbone=backbone, k=n)
    ]


def _by_rise(product: Product, n: int, now: datetime) -> list[RelatedProduct]:
    """What rises within the product's category."""
    rising = rising_products(
        window_days=CATEGORY_WINDOW_DAYS,
        half_life_days=CATEGORY_HALF_LIFE_DAYS,
        now=now,
        n=n,
        genders=sorted(Gender(product.gender).compatible()),
        category_ids=[product.category_id],
        excluded=[product.pk],
    )
    return [
        RelatedProduct(r.product_id, r.rise, rise_in_words(r.n_recent, r.n_before, "30 days"))
        for r in rising
    ]


def rise_in_words(n_recent: int, n_before: int, window: str) -> str:
    """One sentence about a rise."""
    return f"Bought {n_recent} times in {window}, {n_before} times in the {window} before."


def loaded(products: Sequence[int]) -> dict[int, Product]:
    """The products that are still on sale, with what showing them needs, by key. Two queries."""
    return Product.objects.active().with_details().in_bulk(products)
