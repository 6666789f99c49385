"""What to rank for somebody: their history, place and wishes as one query."""

from dataclasses import replace

from catalog.models import Gender
from catalog.places import Place
from catalog.product_filter import ProductFilter
from recommender.availability import stores_within_km
from recommender.history import Exclusion, History
from recommender.narrowing import narrowed
from recommender.proximity import store_proximities
from recommender.ranking import RankingSettings
from recommender.relevance import Query
from shoppers.models import Shopper

NEUTRAL_TRENDINESS = 0.5  # of a session, which nobody knows: neither follows nor avoids the crowd


def query_of(
    history: History,
    settings: RankingSettings,
    *,
    exclusion: Exclusion,
    origin: Place | None,
    within_km: float | None,
    wanted: ProductFilter | None,
) -> Query:
    """The query for somebody with this history, with the shop's boosts.

    Raises:
        ValueError: `within_km` without an origin, or not positive.
        GraphQLError: a filter that makes no sense.
    """
    query = _placed(_of_history(history, settings, exclusion), settings, origin, within_km)
    return query if wanted is None else narrowed(query, wanted)


def _of_history(history: History, settings: RankingSettings, exclusion: Exclusion) -> Query:
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
        boosts=history.rules.boosts,
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
