"""Recommendations for a shopper: per purchase, merged, explained, located and logged."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.models import Gender, Product
from recommender.availability import Availability, Place, nearest_stores, stores_within_km
from recommender.models import RecommendationLog, Tier
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct, Terms, rank_by_popularity
from recommender.retrieval import Path, Ranking, rank_for_purchases
from shoppers.models import Event, Purchase, Shopper

N_POPULAR = 50  # items of the POPULAR tier, which has no purchases to multiply k by
MAX_RAILS = 20  # most recent purchases that get a rail of their own; all of them are excluded


@dataclass(frozen=True)
class Recommendation:
    """A recommended product with everything that explains it."""

    purchase_id: int | None
    product: Product
    terms: Terms
    normalized_popularity: float
    availability: Availability | None

    @property
    def relevance(self) -> float:
        """The sum of the weighted terms."""
        return self.terms.relevance


@dataclass(frozen=True)
class PurchaseRail:
    """What goes with one purchase, most relevant first."""

    purchase: Purchase
    items: list[Recommendation]
    proven: bool  # no product that was not looked at can enter it, up to the index's recall


@dataclass(frozen=True)
class RecommendationSet:
    """One answer: `items` merges the rails, each product once, at its highest relevance."""

    id: uuid.UUID
    tier: Tier
    settings: RankingSettings
    rails: list[PurchaseRail]
    items: list[Recommendation]


def recommend(
    *,
    shopper: Shopper,
    settings: RankingSettings,
    near: Place | None = None,
    within_km: float | None = None,
    path: Path | None = None,
) -> RecommendationSet:
    """Rank, merge, locate and log recommendations for `shopper`.

    Args:
        shopper: whom for; their purchases are compared with and excluded, and so is what they
            dismissed or returned.
        settings: weights, exponent, k and backbone.
        near: where distances are measured from, the shopper's own place by default.
        within_km: only products that a store at most this far from there has in stock.
        path: "exact" or "index"; by default the index where it can answer.

    Raises:
        ValueError: `within_km` without any place to measure from, or not positive.
    """
    purchases = _purchases(shopper)
    origin = near or _home(shopper)
    query = _query(shopper, purchases, settings, _stores(origin, within_km))
    ranking = Ranking([], frozenset(), 0)
    if purchases and settings.backbone is not None:
        ranking = rank_for_purchases(query, settings, path=path)
    ranked = ranking.rows
    tier = Tier.PERSONAL if ranked else Tier.POPULAR
    if not ranked:
        ranked = rank_by_popularity(query, settings, n=N_POPULAR)
    recommendations = _explained(ranked, origin)
    log = RecommendationLog.objects.create(
        shopper=shopper,
        tier=tier,
        settings=settings.as_json()
        | {"near": near and [near.latitude, near.longitude], "within_km": within_km},
        items=[_log_entry(item) for item in recommendations],
        n_statements=ranking.n_statements,
        n_unproven=len(set(query.purchase_ids) - ranking.proven) if ranking.rows else 0,
    )
    rails = _rails(purchases, recommendations, ranking.proven) if tier is Tier.PERSONAL else []
    return RecommendationSet(log.pk, tier, settings, rails, _merged(recommendations))


def _purchases(shopper: Shopper) -> list[Purchase]:
    """The shopper's purchases, newest first, each product once."""
    newest_first = shopper.purchases.order_by("-purchased_at", "-id").select_related(
        "product__category__group"
    )
    by_product: dict[int, Purchase] = {}
    for purchase in newest_first.prefetch_related("product__images"):
        by_product.setdefault(purchase.product_id, purchase)
    return list(by_product.values())


def _home(shopper: Shopper) -> Place | None:
    if shopper.latitude is None or shopper.longitude is None:
        return None
    return Place(shopper.latitude, shopper.longitude)


def _stores(origin: Place | None, within_km: float | None) -> list[int] | None:
    if within_km is None:
        return None
    if not 0 < within_km < float("inf"):
        raise ValueError(f"withinKm must be a positive number of kilometres; got {within_km}")
    if origin is None:
        raise ValueError("withinKm needs a place: give `near`, or store the shopper's location")
    return stores_within_km(origin, within_km)


def _query(
    shopper: Shopper,
    purchases: Sequence[Purchase],
    settings: RankingSettings,
    store_ids: list[int] | None,
) -> Query:
    compared = purchases[:MAX_RAILS]
    genders = Gender(shopper.gender).compatible() if settings.filter_gender else Gender
    return Query(
        trendiness=shopper.trendiness,
        purchase_ids=[purchase.pk for purchase in compared],
        product_ids=[purchase.product_id for purchase in compared],
        excluded_product_ids=sorted(
            {purchase.product_id for purchase in purchases}.union(
                Event.objects.of(shopper).unwanted().values_list("product", flat=True)
            )
        ),
        genders=sorted(gender.value for gender in genders),
        store_ids=store_ids,
    )


def _unwanted(shopper: Shopper, purchases: Sequence[Purchase]) -> set[int]:
    """Products that never come back: bought, returned or dismissed."""
    events = Event.objects.of(shopper).unwanted()
    return {purchase.product_id for purchase in purchases} | set(
        events.values_list("product_id", flat=True)
    )


def _explained(ranked: Sequence[RankedProduct], origin: Place | None) -> list[Recommendation]:
    """The ranked products with their rows and nearest stores, in the same order."""
    ids = {row.product_id for row in ranked}
    products = Product.objects.with_details().in_bulk(ids)
    nearest = nearest_stores(list(ids), origin)
    return [
        Recommendation(
            purchase_id=row.purchase_id,
            product=products[row.product_id],
            terms=row.terms,
            normalized_popularity=row.normalized_popularity,
            availability=nearest.get(row.product_id),
        )
        for row in ranked
        if row.product_id in products  # not deleted since it was ranked
    ]


def _rails(
    purchases: Sequence[Purchase],
    recommendations: Sequence[Recommendation],
    proven: frozenset[int],
) -> list[PurchaseRail]:
    items: dict[int, list[Recommendation]] = {p.pk: [] for p in purchases[:MAX_RAILS]}
    for recommendation in recommendations:
        items[recommendation.purchase_id].append(recommendation)
    return [
        PurchaseRail(purchase, items[purchase.pk], purchase.pk in proven)
        for purchase in purchases[:MAX_RAILS]
    ]


def _merged(recommendations: Sequence[Recommendation]) -> list[Recommendation]:
    best: dict[int, Recommendation] = {}
    for item in recommendations:
        known = best.get(item.product.pk)
        if known is None or item.relevance > known.relevance:
            best[item.product.pk] = item
    return sorted(best.values(), key=lambda item: (-item.relevance, item.product.pk))


def _log_entry(item: Recommendation) -> dict[str, Any]:
    return {
        "purchase": item.purchase_id,
        "product": item.product.pk,
        "relevance": item.relevance,
        "visual": item.terms.visual,
        "popularity": item.terms.popularity,
        "category": item.terms.category,
    }
