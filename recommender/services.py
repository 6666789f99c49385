"""Recommendations for somebody: per product of their history, merged, explained and logged."""

from dataclasses import asdict
from typing import Any

from catalog.places import Place
from catalog.product_filter import ProductFilter
from recommender.answers import RecommendationSet
from recommender.arranging import N_POPULAR, Arrangement
from recommender.choosing import POOL
from recommender.history import Exclusion, History, Visitor, history_of
from recommender.merchandising.pins import rank_pinned
from recommender.models import Tier
from recommender.popular import rank_by_popularity
from recommender.questions import query_of
from recommender.ranking import RankingSettings
from recommender.relevance import Query
from recommender.retrieval import Path, Ranking, rank_for_purchases
from recommender.stored_sets import Circumstances, home_of, store

AS_EVER = Exclusion()


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

    What the shop boosts, buries or pins counts (`recommender.merchandising.rules`).

    Cost: five statements, four where the history is given: the history, the indexes, the ranking
    (and one where it reads on), the products, the log. A filter has its own, diversity one, and so
    have pins.

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
    query = query_of(
        history, settings, exclusion=exclusion, origin=origin, within_km=within_km, wanted=wanted
    )
    ranking = _ranking(query, settings, diversity, path)
    is_personal = bool(ranking.rows)
    n_popular = N_POPULAR * (POOL if diversity else 1)
    ranked = ranking.rows or rank_by_popularity(
        query, settings, n=n_popular, exactly=path == "exact"
    )
    pinned = rank_pinned(query, settings, history.rules, is_personal=is_personal)
    arrangement = Arrangement(settings, history.rules, query.listed_category_id, origin, diversity)
    acts = history.compared() if is_personal else []
    rails, items = arrangement.lists(acts, ranked, pinned, ranking.proven)
    circumstances = Circumstances(
        near=near,
        values=_as_json(within_km, wanted, exclusion, diversity),
        n_statements=ranking.n_statements,
        n_unproven=len(set(query.purchase_ids) - ranking.proven) if is_personal else 0,
    )
    tier = Tier.PERSONAL if is_personal else Tier.POPULAR
    return store(shopper, tier, settings, rails, items, circumstances)


def _ranking(
    query: Query, settings: RankingSettings, diversity: float, path: Path | None
) -> Ranking:
    if not query.purchase_ids or settings.backbone is None:
        return Ranking([], frozenset(), 0)
    pool = settings.with_pool(_pool_size(query, settings, diversity))
    return rank_for_purchases(query, pool, path=path)


def _pool_size(query: Query, settings: RankingSettings, diversity: float) -> int:
    """How many to rank per rail, so that k are left of them."""
    size = settings.k * (POOL if diversity else 1)
    meets_itself = set(query.product_ids) - set(query.excluded_product_ids)
    return size + 1 if meets_itself else size


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
