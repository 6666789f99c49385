"""Recommendations for somebody: per product of their history, merged, explained and logged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from catalog.models import Gender
from catalog.places import Place
from catalog.product_filter import ProductFilter
from recommender.answers import Rail, Recommendation, RecommendationSet, merged
from recommender.availability import shown_products, stores_within_km
from recommender.choosing import POOL, by_marginal_relevance, by_relevance, pools_of
from recommender.history import Act, Exclusion, History, history_of
from recommender.models import RecommendationLog, Tier
from recommender.narrowing import narrowed
from recommender.proximity import store_proximities
from recommender.ranking import RankingSettings
from recommender.relevance import Query, rank_by_popularity
from recommender.retrieval import Path, Ranking, rank_for_purchases
from shoppers.models import Shopper

N_POPULAR = 50  # items of the POPULAR tier, which has no purchases to multiply k by
AS_EVER = Exclusion()


def recommend(
    *,
    shopper: Shopper,
    settings: RankingSettings,
    near: Place | None = None,
    within_km: float | None = None,
    wanted: ProductFilter | None = None,
    exclusion: Exclusion = AS_EVER,
    diversity: float = 0.0,
    path: Path | None = None,
    history: History | None = None,
) -> RecommendationSet:
    """Rank, merge, locate and log recommendations for `shopper`.

    Cost: at most six statements, five where the history is given: the history, the indexes (and how
    far they are read), the ranking, the products, the log. A filter has its own, diversity one.

    Args:
        shopper: whom for.
        settings: weights, exponent, k and backbone.
        near: where distances are measured from, the shopper's own place by default.
        within_km: only products that a store at most this far from there has in stock.
        wanted: only products that this filter lets through.
        exclusion: what is left out of what they did; by default what they bought, dismissed or
            returned.
        diversity: from 0, the most relevant, to 1, unlike each other (`recommender.diversity`).
        path: "exact" or "index"; by default the index where it can answer.
        history: what they did, where it was read already.

    Raises:
        ValueError: `within_km` without any place to measure from, or not positive; a diversity
            outside of 0 to 1.
        GraphQLError: a filter that makes no sense.
    """
    if not 0 <= diversity <= 1:
        raise ValueError(f"diversity must be from 0 to 1; got {diversity}")
    history = history or history_of(shopper, exclusion)
    compared = history.compared()
    origin = near or _home(shopper)
    excluded = exclusion.product_ids(history.acts)
    query = _query(shopper, compared, settings, _stores(origin, within_km), excluded)
    if wanted is not None:
        query = narrowed(query, wanted)
    if settings.weight_proximity and origin is not None:
        query = replace(query, proximities=store_proximities(origin))
    ranking = _ranking(query, settings.with_pool(_pool_size(query, settings, diversity)), path)
    tier = Tier.PERSONAL if ranking.rows else Tier.POPULAR
    ranked = ranking.rows
    if not ranked:
        ranked = rank_by_popularity(query, settings, n=N_POPULAR * (POOL if diversity else 1))
    acts = compared if tier is Tier.PERSONAL else []
    shown = shown_products({row.product_id for row in [*ranked, *acts]}, origin)
    pools = pools_of(acts, ranked, shown)
    choose = by_relevance if not diversity else by_marginal_relevance(pools, settings, diversity)
    popular = choose(pools.pop(None, []), N_POPULAR)
    rails = [
        Rail(because, choose(pool, settings.k), because.key in ranking.proven and not diversity)
        for because, pool in pools.items()
    ]
    items = choose(merged([item for rail in rails for item in rail.items]), None) or popular
    log = RecommendationLog.objects.create(
        shopper=shopper,
        tier=tier,
        settings=settings.as_json()
        | {"near": near and [near.latitude, near.longitude], "within_km": within_km},
        items=[_log_entry(item) for rail in rails for item in rail.items]
        or [_log_entry(item) for item in popular],
        n_statements=ranking.n_statements,
        n_unproven=len(set(query.purchase_ids) - ranking.proven) if ranking.rows else 0,
    )
    return RecommendationSet(log.pk, tier, settings, rails, items)


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


def _pool_size(query: Query, settings: RankingSettings, diversity: float) -> int:
    """How many to rank per rail, so that k are left of them."""
    size = settings.k * (POOL if diversity else 1)
    meets_itself = set(query.product_ids) - set(query.excluded_product_ids)
    return size + 1 if meets_itself else size


def _ranking(query: Query, settings: RankingSettings, path: Path | None) -> Ranking:
    if not query.purchase_ids or settings.backbone is None:
        return Ranking([], frozenset(), 0)
    return rank_for_purchases(query, settings, path=path)


def _log_entry(item: Recommendation) -> dict[str, Any]:
    return {
        "purchase": item.because and item.because.key,
        "product": item.product.pk,
        "relevance": item.relevance,
        "visual": item.terms.visual,
        "popularity": item.terms.popularity,
        "category": item.terms.category,
        "proximity": item.terms.proximity,
    }
