"""Recommendations for a product page: alike, complementary, or rising, whoever looks at it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.models import Gender, Product
from embeddings.neighbours import similar_products
from embeddings.preference import best_backbone_with_vectors
from recommender.complements import complementary_products
from recommender.merchandising.pins import rank_pinned, with_pins
from recommender.merchandising.rules import Rules, rules_of
from recommender.ranking import RankingSettings, default_profile
from recommender.relevance import Query, RankedProduct, Terms
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


TIMES = {0: "never", 1: "once", 2: "twice"}
# From which cosine on, and what is said of it.
LOOKS = (
    (0.95, "Looks nearly the same."),
    (0.85, "Looks very much alike."),
    (0.7, "Looks alike."),
)


@dataclass(frozen=True)
class RelatedProduct:
    """A product for the page of another one; `score` is in the intent's own measure."""

    product_id: int
    score: float
    reason: str
    terms: Terms | None = None
    pinned: bool = False  # the shop gave it this place


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


def related_by_relevance(
    *, product: Product, settings: RankingSettings, rules: Rules
) -> list[RelatedProduct]:
    """The top `settings.k`, as if a shopper of middling trendiness had bought just this product.

    With the shop's rules for its category. Empty without a backbone.
    """
    if settings.backbone is None:
        return []
    query = _as_if_bought(product, settings, rules)
    pins = rules.pins_of_list(product.category_id)
    pinned = rank_pinned(query, settings, Rules(pins=tuple(pins)), is_personal=True)
    ranked = rank_for_purchases(query, settings).rows
    return with_pins(
        [_explained(row) for row in ranked], pins, [_explained(row) for row in pinned], settings.k
    )


def _by_relevance(product: Product, n: int) -> list[RelatedProduct]:
    """By the default profile."""
    settings = RankingSettings.from_profile(default_profile()).with_changes(k=n)
    return related_by_relevance(product=product, settings=settings, rules=rules_of(product))


def _as_if_bought(product: Product, settings: RankingSettings, rules: Rules) -> Query:
    genders = Gender(product.gender).compatible() if settings.filter_gender else Gender
    return Query(
        trendiness=NEUTRAL_TRENDINESS,
        purchase_ids=[product.pk],  # any key will do, there is one
        product_ids=[product.pk],
        excluded_product_ids=[product.pk],
        genders=sorted(gender.value for gender in genders),
        boosts=rules.boosts,
    )


def _explained(row: RankedProduct) -> RelatedProduct:
    return RelatedProduct(row.product_id, row.terms.relevance, _strongest(row.terms), row.terms)


def _strongest(terms: Terms) -> str:
    parts = {
        "It looks alike": terms.visual,
        "Its popularity suits": terms.popularity,
        "It is of a similar kind": terms.category,
        "The shop recommends it": terms.merchandising,
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
            looks_in_words(neighbour.cosine_similarity),
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


def looks_in_words(cosine_similarity: float) -> str:
    """One sentence about how alike two photos are; the score has the number."""
    for least, words in LOOKS:
        if cosine_similarity >= least:
            return words
    return "Looks a little alike."


def rise_in_words(n_recent: int, n_before: int, window: str) -> str:
    """One sentence about a rise."""
    recent, before = (TIMES.get(n, f"{n:,} times") for n in (n_recent, n_before))
    return f"Bought {recent} in {window}, {before} in the {window} before."


def loaded(products: Sequence[int]) -> dict[int, Product]:
    """The products that are still on sale, with what showing them needs, by key. Two queries."""
    return Product.objects.active().with_details().in_bulk(products)
