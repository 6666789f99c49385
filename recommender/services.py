"""Recommendations for somebody: per product of their history, merged, explained and logged."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from catalog.models import Gender
from catalog.places import Place
from catalog.product_filter import ProductFilter
from recommender.answers import Rail, RecommendationSet, merged
from recommender.availability import shown_products, stores_within_km
from recommender.choosing import POOL, Pools, by_marginal_relevance, by_relevance, pools_of
from recommender.history import Act, Exclusion, History, Visitor, history_of
from recommender.models import Tier
from recommender.narrowing import narrowed
from recommender.proximity import store_proximities
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct, rank_by_popularity
from recommender.retrieval import Path, Ranking, rank_for_purchases
from recommender.stored_sets import Circumstances, home_of, store
from shoppers.models import Shopper

N_POPULAR = 50  # items of the POPULAR tier, which has no purchases to multiply k by
AS_EVER = Exclusion()
NEUTRAL_TRENDINESS = 0.5  # of a session, which nobody knows: neither follows nor avoids the crowd


def recommend(
    *,
    shopper: Visitor,
    settings: RankingSettings,
    near: Place | None = None,
    within_km: float | None = None,
    wanted: ProductFilter | None = None,
    exclusion: Exclusion = AS_EVER,
    diversity: float = 0.0,
    path: Path | None = None,
    history: History | None = None,
) -> RecommendationSet:
    """Rank, merge, locate and log recommendations for a shopper, or a session not logged in.

    Cost: five statements, four where the history is given: the history, the indexes, the ranking
    (and one where it reads on), the products, the log. A filter has its own, diversity one.

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
    origin = near or home_of(shopper)
    query = _query(history, exclusion, settings)
    query = _placed(query, settings, origin, within_km)
    if wanted is not None:
        query = narrowed(query, wanted)
    ranking = _ranking(query, settings.with_pool(_pool_size(query, settings, diversity)), path)
    is_personal = bool(ranking.rows)
    ranked = ranking.rows or _popular(query, settings, diversity)
    pools = _pools(history.compared() if is_personal else [], ranked, origin)
    choose = by_relevance if not diversity else by_marginal_relevance(pools, settings, diversity)
    popular = choose(pools.pop(None, []), N_POPULAR)
    rails = [
        Rail(because, choose(pool, settings.k), because.key in ranking.proven and not diversity)
        for because, pool in pools.items()
    ]
    items = choose(merged([item for rail in rails for item in rail.items]), None) or popular
    tier = Tier.PERSONAL if is_personal else Tier.POPULAR
    circumstances = Circumstances(
        near=near,
        values=_as_json(within_km, wanted, exclusion, diversity),
        n_statements=ranking.n_statements,
        n_unproven=len(set(query.purchase_ids) - ranking.proven) if is_personal else 0,
    )
    return store(shopper, tier, settings, rails, items, circumstances)


def _query(history: History, exclusion: Exclusion, settings: RankingSettings) -> Query:
    compared, visitor = history.compared(), history.visitor
    is_known = isinstance(visitor, Shopper)
    gender = Gender(visitor.gender) if is_known else Gender.UNISEX
    genders = gender.compatible() if settings.filter_gender else Gender
    return Query(
        trendiness=visitor.trendiness if is_known else NEUTRAL_TRENDINESS,
        purchase_ids=[act.key for act in compared],
        product_ids=[act.product_id for act in compared],
        excluded_product_ids=sorted(exclusion.product_ids(history.acts)),
        genders=sorted(gender.value for gender in genders),
    )


def _placed(
    query: Query, settings: RankingSettings, origin: Place | None, within_km: float | None
) -> Query:
    """The query with what the origin has to say: which stores count, and how near they are."""
    if within_km is not None:
        if not 0 < within_km < float("inf"):
            raise ValueError(f"withinKm must be a positive number of kilometres; got {within_km}")
        if origin is None:
            raise ValueError("withinKm needs a place: give `near`, or store the shopper's location")
        query = replace(query, store_ids=stores_within_km(origin, within_km))
    if settings.weight_proximity and origin is not None:
        query = replace(query, proximities=store_proximities(origin))
    return query


def _pool_size(query: Query, settings: RankingSettings, diversity: float) -> int:
    """How many to rank per rail, so that k are left of them."""
    size = settings.k * (POOL if diversity else 1)
    meets_itself = set(query.product_ids) - set(query.excluded_product_ids)
    return size + 1 if meets_itself else size


def _ranking(query: Query, settings: RankingSettings, path: Path | None) -> Ranking:
    if not query.purchase_ids or settings.backbone is None:
        return Ranking([], frozenset(), 0)
    return rank_for_purchases(query, settings, path=path)


def _popular(query: Query, settings: RankingSettings, diversity: float) -> list[RankedProduct]:
    return rank_by_popularity(query, settings, n=N_POPULAR * (POOL if diversity else 1))


def _pools(acts: Sequence[Act], ranked: Sequence[RankedProduct], origin: Place | None) -> Pools:
    shown = shown_products({row.product_id for row in [*ranked, *acts]}, origin)
    return pools_of(acts, ranked, shown)


def _as_json(
    within_km: float | None, wanted: ProductFilter | None, exclusion: Exclusion, diversity: float
) -> dict[str, Any]:
    """What was asked for, for the log."""
    given = {name: value for name, value in asdict(wanted or ProductFilter()).items() if value}
    return {
        "within_km": within_km,
        "filter": {name: str(value) for name, value in given.items()},
        "exclude": sorted(exclusion.kinds),
        "since": exclusion.since and exclusion.since.isoformat(),
        "diversity": diversity,
    }
