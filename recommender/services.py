"""Recommendations for somebody: per product of their history, merged, explained and logged."""

from collections.abc import Sequence
from typing import Any

from catalog.models import Gender
from catalog.places import Place
from recommender.answers import Because, Rail, Recommendation, RecommendationSet, merged
from recommender.availability import ShownProduct, shown_products, stores_within_km
from recommender.history import Act, Exclusion, History, history_of
from recommender.models import RecommendationLog, Tier
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct, rank_by_popularity
from recommender.retrieval import Path, Ranking, rank_for_purchases
from shoppers.models import Shopper

N_POPULAR = 50  # items of the POPULAR tier, which has no purchases to multiply k by
ANY_BOUGHT = Exclusion()


def recommend(
    *,
    shopper: Shopper,
    settings: RankingSettings,
    near: Place | None = None,
    within_km: float | None = None,
    path: Path | None = None,
    exclusion: Exclusion = ANY_BOUGHT,
    history: History | None = None,
) -> RecommendationSet:
    """Rank, merge, locate and log recommendations for `shopper`.

    Cost: at most six statements, five where the history is given: the history, the indexes (and how
    far they are read), the ranking, the products, the log.

    Args:
        shopper: whom for.
        settings: weights, exponent, k and backbone.
        near: where distances are measured from, the shopper's own place by default.
        within_km: only products that a store at most this far from there has in stock.
        path: "exact" or "index"; by default the index where it can answer.
        exclusion: what is left out of what they did; by default what they bought, dismissed or
            returned.
        history: what they did, where it was read already.

    Raises:
        ValueError: `within_km` without any place to measure from, or not positive.
    """
    history = history or history_of(shopper, exclusion)
    compared = history.compared()
    origin = near or _home(shopper)
    excluded = exclusion.product_ids(history.acts)
    query = _query(shopper, compared, settings, _stores(origin, within_km), excluded)
    ranking = Ranking([], frozenset(), 0)
    if compared and settings.backbone is not None:
        ranking = rank_for_purchases(query, settings, path=path)
    ranked = ranking.rows
    tier = Tier.PERSONAL if ranked else Tier.POPULAR
    if not ranked:
        ranked = rank_by_popularity(query, settings, n=N_POPULAR)
    acts = compared if tier is Tier.PERSONAL else []
    shown = shown_products({row.product_id for row in [*ranked, *acts]}, origin)
    recommendations = _explained(ranked, shown)
    log = RecommendationLog.objects.create(
        shopper=shopper,
        tier=tier,
        settings=settings.as_json()
        | {"near": near and [near.latitude, near.longitude], "within_km": within_km},
        items=[_log_entry(item) for item in recommendations],
        n_statements=ranking.n_statements,
        n_unproven=len(set(query.purchase_ids) - ranking.proven) if ranking.rows else 0,
    )
    rails = _rails(acts, shown, recommendations, ranking.proven)
    return RecommendationSet(log.pk, tier, settings, rails, merged(recommendations))


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
    compared: Sequence[Act],
    settings: RankingSettings,
    store_ids: list[int] | None,
    excluded: set[int],
) -> Query:
    genders = Gender(shopper.gender).compatible() if settings.filter_gender else Gender
    return Query(
        trendiness=shopper.trendiness,
        purchase_ids=[act.key for act in compared],
        product_ids=[act.product_id for act in compared],
        excluded_product_ids=sorted(excluded),
        genders=sorted(gender.value for gender in genders),
        store_ids=store_ids,
    )


def _explained(
    ranked: Sequence[RankedProduct], shown: dict[int, ShownProduct]
) -> list[Recommendation]:
    """The ranked products as they are shown, in the same order."""
    return [
        Recommendation(
            rail_key=row.purchase_id,
            product=shown[row.product_id].product,
            terms=row.terms,
            normalized_popularity=row.normalized_popularity,
            availability=shown[row.product_id].availability,
        )
        for row in ranked
        if row.product_id in shown  # not deleted since it was ranked
    ]


def _rails(
    acts: Sequence[Act],
    shown: dict[int, ShownProduct],
    recommendations: Sequence[Recommendation],
    proven: frozenset[int],
) -> list[Rail]:
    items: dict[int, list[Recommendation]] = {act.key: [] for act in acts}
    for recommendation in recommendations:
        if recommendation.rail_key in items:
            items[recommendation.rail_key].append(recommendation)
    return [
        Rail(
            Because(act.key, act.kind, shown[act.product_id].product, act.at),
            items[act.key],
            act.key in proven,
        )
        for act in acts
        if act.product_id in shown
    ]


def _log_entry(item: Recommendation) -> dict[str, Any]:
    return {
        "purchase": item.rail_key,
        "product": item.product.pk,
        "relevance": item.relevance,
        "visual": item.terms.visual,
        "popularity": item.terms.popularity,
        "category": item.terms.category,
    }
