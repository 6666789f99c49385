"""The terms of the relevance (`recommender.relevance`) in SQL, and the values that they name."""

from collections.abc import Sequence
from typing import Any

from catalog.models import Gender
from recommender.ranking import RankingSettings
from recommender.relevance import Query

# NormPop's range: the active catalogue. The ends of each gender's trend index, not a scan.
END = """(SELECT popularity FROM shoppers_productpopularity
                WHERE gender = '{gender}' AND is_active ORDER BY popularity {order} LIMIT 1)"""
BOUNDS = """
    bounds AS MATERIALIZED (
        SELECT
            LEAST({lows})::float8 AS low,
            GREATEST({highs})::float8 AS high
    )""".format(
    lows=", ".join(END.format(gender=gender.value, order="ASC") for gender in Gender),
    highs=", ".join(END.format(gender=gender.value, order="DESC") for gender in Gender),
)

NORMALIZED_POPULARITY = """
    CASE WHEN bounds.high > bounds.low
         THEN (p.popularity - bounds.low) / (bounds.high - bounds.low) ELSE 0 END"""

# PostgreSQL's power() fails where a double underflows: 1e-15 to the largest exponent does not.
POPULARITY_PENALTY = """power(
        CASE WHEN {distance} < 1e-15 THEN 0 ELSE {distance} END, %(penalty_exponent)s::float8
    )"""
POPULARITY_TERM = f"""
    %(weight_popularity)s::float8 * (1 - {
    POPULARITY_PENALTY.format(distance="abs({row}.normalized_popularity - %(trendiness)s::float8)")
})"""

# CatSim by category key: a look-up in an array instead of a join, which the planner, not knowing
# how few categories there are, turns into a scan per category.
CATEGORY_SIMILARITIES = """(
        SELECT array_agg(COALESCE(pair.similarity, 0) ORDER BY key)
        FROM generate_series(1, (SELECT max(id) FROM catalog_category)) AS key
        LEFT JOIN catalog_categorypair pair ON pair.a_id = c.category_id AND pair.b_id = key
    ) AS category_similarities"""

PURCHASES = """unnest(%(purchase_ids)s::bigint[], %(product_ids)s::bigint[])
        WITH ORDINALITY AS h (purchase_id, product_id, position)
    JOIN catalog_product c ON c.id = h.product_id"""

RELEVANCE = (
    "%(weight_visual)s::float8 * {visual_similarity} + "
    + POPULARITY_TERM
    + """
                + %(weight_category)s::float8 * {row}.category_similarity
                + %(weight_proximity)s::float8 * {row}.proximity + {row}.merchandising"""
)

# The columns that `recommender.relevance.ranked` reads, without the purchase.
COLUMNS = (
    "{row}.product_id, {row}.normalized_popularity, "
    "%(weight_visual)s::float8 * {row}.visual_similarity, "
    + POPULARITY_TERM
    + """,
    %(weight_category)s::float8 * {row}.category_similarity,
    {row}.visual_similarity, {row}.category_similarity,
    %(weight_proximity)s::float8 * {row}.proximity, {row}.proximity, {row}.merchandising"""
)


def relevance_of(row: str, visual_similarity: str | None = None) -> str:
    """SQL of the sum of the terms.

    Args:
        row: has normalized_popularity, category_similarity, proximity and merchandising.
        visual_similarity: another expression than the row's column of that name.
    """
    visual_similarity = visual_similarity or f"{row}.visual_similarity"
    return RELEVANCE.format(row=row, visual_similarity=visual_similarity)


def columns_of(row: str) -> str:
    """SQL of the columns that `recommender.relevance.ranked` reads, after the purchase."""
    return COLUMNS.format(row=row)


def parameters(query: Query, settings: RankingSettings) -> dict[str, Any]:
    """The values that the statements name."""
    lowest, highest = query.price_range or (None, None)
    return {
        "purchase_ids": list(query.purchase_ids),
        "product_ids": list(query.product_ids),
        "excluded": list(query.excluded_product_ids),
        "genders": list(query.genders),
        "category_ids": _list(query.category_ids),
        "lowest_price": lowest,
        "highest_price": highest,
        "store_ids": _list(query.store_ids),
        "trendiness": query.trendiness,
        "weight_visual": settings.weight_visual,
        "weight_popularity": settings.weight_popularity,
        "weight_category": settings.weight_category,
        "weight_proximity": settings.weight_proximity,
        "penalty_exponent": settings.penalty_exponent,
        "k": settings.k,
        "listed_category": query.listed_category_id,
        "boosted": [boost.product_id for boost in query.boosts],
        "boost_categories": [boost.category_id for boost in query.boosts],
        "boosts": [boost.amount for boost in query.boosts],
        **(query.selection.values if query.selection else {}),
        **(query.proximities.values if query.proximities else {}),
    }


def _list(values: Sequence[int] | None) -> list[int] | None:
    return None if values is None else list(values)
