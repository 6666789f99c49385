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
from recommender.nearby import stocked, unseen_proximity
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct, ranked
from recommender.trend_streams import trend_streams, unseen_popularity

# Nobody bought anything: one row, so that merchandising rules find which category was asked for.
RANK_BY_POPULARITY = """
WITH {bounds},
history AS MATERIALIZED (SELECT NULL::bigint AS purchase_id, NULL::bigint AS category_id)
{merchandised}{streams}
SELECT {unseen}, history.purchase_id, {columns}
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
STOCKED = """
        UNION
        SELECT p.product_id, p.popularity FROM shoppers_productpopularity p
        WHERE p.product_id IN (SELECT product_id FROM stocked)"""
MERCHANDISED = """
        UNION
        SELECT p.product_id, p.popularity FROM shoppers_productpopularity p
        WHERE p.product_id = ANY(%(boosted)s::bigint[]){conditions}"""
ALL = """
        SELECT p.product_id, p.popularity FROM shoppers_productpopularity p
        WHERE true{conditions}"""
CANDIDATES = "shoppers_productpopularity p ON p.product_id = s.product_id"
OF_GENDERS = " AND p.is_active AND p.gender = ANY(%(genders)s::text[])"
UNSEEN = "({unseen_popularity}) + %(weight_proximity)s::float8 * {unseen_proximity}"
SEEN = "SELECT product_id FROM trending UNION SELECT unnest(%(boosted)s::bigint[])"


def rank_by_popularity(
    query: Query, settings: RankingSettings, *, n: int, exactly: bool = False
) -> list[RankedProduct]:
    """The `n` products whose popularity suits the shopper best; ties go to the smaller key.

    Of what is not merchandised, the `n` nearest to t are among the `n` nearest on either side.
    Where proximity counts, what near stores have is looked at, too, and every product where that
    does not prove the answer, or where `exactly` asks for it. Cost: one statement, or two.
    """
    rows = [] if exactly else _rows(query, settings, n, _streams(query, n))
    if exactly or (query.proximities is not None and not _is_proven(rows, n)):
        rows = _rows(query, settings, n, _everything(query))
    return [ranked(row) for _, *row in rows]


def _is_proven(rows: list[tuple], n: int) -> bool:
    """Whether no unseen product can be among them."""
    if len(rows) < n:
        return False
    unseen, *last = rows[-1]
    return unseen is None or ranked(last).terms.relevance > unseen


def _rows(
    query: Query, settings: RankingSettings, n: int, candidates: dict[str, str]
) -> list[tuple]:
    """What no unseen product exceeds, None where it is not needed, and the ranked columns."""
    is_by_distance = not query.boosts and query.proximities is None
    sql = RANK_BY_POPULARITY.format(
        bounds=BOUNDS,
        merchandised=merchandised(query),
        columns=columns_of("candidate"),
        normalized_popularity=NORMALIZED_POPULARITY,
        proximity=proximity_of(query),
        merchandising=merchandising_term(query),
        join=join_near_stock(query, "p") + join_merchandised(query, "p"),
        order="" if is_by_distance else f"{relevance_of('candidate')} DESC, ",
        **candidates,
    )
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters(query, settings) | {"k": n})
        return cursor.fetchall()


def _streams(query: Query, n: int) -> dict[str, str]:
    """Candidates from both sides of t, from near stores, and what the shop boosts or buries."""
    filters = NOT_EXCLUDED.format(row="p") + product_filters(query, "p")
    passed_by = filters + not_merchandised(query, "p")
    streams = trend_streams(query.genders, n, filters=passed_by)
    products, unseen = TRENDING, "NULL"
    if query.proximities is not None:
        conditions = OF_GENDERS + passed_by
        streams += stocked(query, products=CANDIDATES, conditions=conditions, seen=SEEN)
        products += STOCKED
        unseen = UNSEEN.format(
            unseen_popularity=unseen_popularity(n), unseen_proximity=unseen_proximity(query)
        )
    if query.boosts:
        products += MERCHANDISED.format(conditions=OF_GENDERS + filters)
    return {"streams": streams, "products": products, "unseen": unseen}


def _everything(query: Query) -> dict[str, str]:
    filters = NOT_EXCLUDED.format(row="p") + product_filters(query, "p")
    return {
        "streams": near_stock(query),
        "products": ALL.format(conditions=OF_GENDERS + filters),
        "unseen": "NULL",
    }
