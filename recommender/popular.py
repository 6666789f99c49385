"""The ranking for somebody without purchases: what is as popular as they like it."""

from catalog.database import reading_connection
from recommender.conditions import NOT_EXCLUDED, product_filters
from recommender.formula import (
    BOUNDS,
    NORMALIZED_POPULARITY,
    columns_of,
    parameters,
    relevance_of,
)
from recommender.merchandising.terms import (
    join_merchandised,
    merchandised,
    merchandising_term,
    not_merchandised,
)
from recommender.near_stock import join_near_stock, near_stock, proximity_of
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct, ranked
from recommender.trend_streams import trend_streams

# Nobody bought anything: one row, so that merchandising rules find which category was asked for.
RANK_BY_POPULARITY = """
WITH {bounds},
history AS MATERIALIZED (SELECT NULL::bigint AS purchase_id, NULL::bigint AS category_id)
{merchandised}{near_stock}{trending}
SELECT history.purchase_id, {columns}
FROM history CROSS JOIN LATERAL (
    SELECT
        p.product_id, {normalized_popularity} AS normalized_popularity,
        0::float8 AS visual_similarity, 0::float8 AS category_similarity,
        {proximity} AS proximity, {merchandising} AS merchandising
    FROM ({products}) AS p CROSS JOIN bounds{join}
    OFFSET 0
) AS candidate
ORDER BY
    {order}abs(candidate.normalized_popularity - %(trendiness)s::float8), candidate.product_id
LIMIT %(k)s::bigint
"""
TRENDING = "SELECT product_id, popularity FROM trending"
MERCHANDISED = """
        UNION ALL
        SELECT p.product_id, p.popularity FROM shoppers_productpopularity p
        WHERE p.product_id = ANY(%(boosted)s::bigint[])
            AND p.is_active AND p.gender = ANY(%(genders)s::text[]){filters}"""
ALL = """
        SELECT p.product_id, p.popularity FROM shoppers_productpopularity p
        WHERE p.is_active AND p.gender = ANY(%(genders)s::text[]){filters}"""


def rank_by_popularity(query: Query, settings: RankingSettings, *, n: int) -> list[RankedProduct]:
    """The `n` products whose popularity suits the shopper best; ties go to the smaller key.

    Exact: of what is not merchandised, the `n` nearest to t are among the `n` nearest on either
    side. Where proximity counts, every product is looked at. Cost: one statement.
    """
    filters = NOT_EXCLUDED.format(row="p") + product_filters(query, "p")
    is_by_distance = not query.boosts and query.proximities is None
    sql = RANK_BY_POPULARITY.format(
        bounds=BOUNDS,
        merchandised=merchandised(query),
        near_stock=near_stock(query),
        columns=columns_of("candidate"),
        normalized_popularity=NORMALIZED_POPULARITY,
        proximity=proximity_of(query),
        merchandising=merchandising_term(query),
        join=join_near_stock(query, "p") + join_merchandised(query, "p"),
        order="" if is_by_distance else f"{relevance_of('candidate')} DESC, ",
        **_products(query, n, filters),
    )
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters(query, settings) | {"k": n})
        return [ranked(row) for row in cursor.fetchall()]


def _products(query: Query, n: int, filters: str) -> dict[str, str]:
    """Where the candidates come from."""
    if query.proximities is not None:
        return {"trending": "", "products": ALL.format(filters=filters)}
    always = MERCHANDISED.format(filters=filters) if query.boosts else ""
    passed_by = filters + not_merchandised(query, "p")
    return {
        "trending": trend_streams(query.genders, n, filters=passed_by),
        "products": TRENDING + always,
    }
