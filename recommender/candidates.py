"""Index candidates for one shopper: streams, one statement, and a bound on what it left unseen.

Visual neighbours of every purchase come from the vector indexes, products whose popularity lies
nearest to the shopper's trendiness from the trend indexes, and where proximity counts, products
that the nearest stores have (`recommender.nearby`). What the shop boosts or buries is few: streams
pass by it and all of it is looked at, so that of unseen products that term is 0. Short vectors
choose a short list of all these, and `recommender.formula` on full vectors ranks it.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Any

from catalog.database import fetch_planned, fetch_prepared, reading_connection
from embeddings.indexes import SearchIndexes, gender_list
from embeddings.neighbours import MAX_EF_SEARCH, neighbour_streams
from recommender.conditions import NOT_EXCLUDED, row_filters, stock_filter
from recommender.formula import (
    BOUNDS,
    NORMALIZED_POPULARITY,
    parameters,
    relevance_of,
)
from recommender.merchandising.terms import (
    join_merchandised,
    merchandised,
    merchandising_term,
    not_merchandised,
)
from recommender.near_stock import join_near_stock, proximity_of
from recommender.nearby import MAX_NEARBY, nearby, nearby_best, unseen_proximity
from recommender.ranking import RankingSettings
from recommender.relevance import Query, ranked
from recommender.short_lists import Rail, best_of_short_list, history, terms_of_best
from recommender.trend_streams import trend_streams, unseen_popularity

# A filtered scan goes on past ef_search until it has its rows, or has looked at so many.
MAX_SCAN_TUPLES = 5_000
EXCLUDED_STEP = 10


@dataclass(frozen=True)
class StreamSizes:
    """How far the streams are read, and how many candidates the full vectors rank per purchase."""

    n_neighbours: int
    n_trending: int
    n_short: int
    n_nearby: int = MAX_NEARBY  # rows of stock, where proximity counts


@dataclass(frozen=True)
class Unseen:
    """What bounds every product that a rail's streams did not reach.

    Fagin's threshold: no unseen product has a larger cosine than the last neighbour read, a better
    popularity term than the last trending product read, a nearer store than the last stock read,
    and a better CatSim than the best there is. The shop boosts none of them.
    """

    cosine: float | None  # None: every product was read
    popularity: float | None  # the weighted term; None: every product was read
    category_similarity: float
    proximity: float = 0.0

    def threshold(self, settings: RankingSettings, cosine_error: float) -> float:
        """The relevance that no unseen product exceeds."""
        if self.cosine is None or self.popularity is None:
            return -inf
        return (
            settings.weight_visual * (self.cosine + cosine_error)
            + self.popularity
            + settings.weight_category * self.category_similarity
            + settings.weight_proximity * self.proximity
        )


# The settings hold for this statement, or its transaction: history waits for them, and every stream
# for history.
RANK_CANDIDATES = """
WITH scan AS MATERIALIZED (
    SELECT
        set_config('hnsw.ef_search', '{ef_search}', true),
        set_config('hnsw.iterative_scan', '{iterative_scan}', true),
        set_config('hnsw.max_scan_tuples', '{max_scan_tuples}', true)
),
{bounds},
{history}{trending},
unseen AS MATERIALIZED ({unseen_popularity}),
popular AS MATERIALIZED (
    SELECT
        n.product_id, n.category_id, n.popularity, n.vector::halfvec({search_dimension}) AS vector
    FROM trending JOIN embeddings_searchvector n
        ON n.product_id = trending.product_id AND n.projection_id = {projection_id}
    WHERE n.is_active
),
near AS MATERIALIZED (
    SELECT history.purchase_id, neighbour.*
    FROM history CROSS JOIN LATERAL ({neighbours}) AS neighbour
),
edges AS MATERIALIZED (
    SELECT purchase_id, 1 - min(far) AS cosine, max(far - quarter) AS decline
    FROM (
        SELECT
            purchase_id, count(*) AS n, max(cosine_distance) AS far,
            percentile_disc(0.25) WITHIN GROUP (ORDER BY cosine_distance) AS quarter
        FROM near GROUP BY purchase_id, stream
    ) AS edge
    WHERE n >= {n_edge}
    GROUP BY purchase_id
){merchandised}{nearby}
SELECT
    {terms},
    CASE WHEN history.vector IS NULL THEN 0 ELSE edges.cosine END,
    COALESCE(edges.decline, 0), unseen.popularity,
    (SELECT max(s) FROM unnest(history.category_similarities) AS s), {unseen_proximity}
FROM history
LEFT JOIN edges USING (purchase_id)
CROSS JOIN unseen CROSS JOIN bounds
CROSS JOIN LATERAL {best} AS best
"""

CANDIDATES = """
            SELECT seen.*, {relevance} AS relevance
            FROM (
                SELECT DISTINCT ON (p.product_id)
                    p.product_id, COALESCE(p.cosine_distance, 1) AS cosine_distance,
                    {normalized_popularity} AS normalized_popularity,
                    history.category_similarities[p.category_id] AS category_similarity,
                    {proximity} AS proximity, {merchandising} AS merchandising
                FROM (
                    SELECT product_id, category_id, popularity, cosine_distance
                    FROM near WHERE near.purchase_id = history.purchase_id
                    UNION ALL
                    SELECT product_id, category_id, popularity, vector <=> history.vector
                    FROM popular{boosted}{nearby_best}
                ) AS p{join}
                WHERE true{not_excluded}
            ) AS seen
        """

LOOKED_AT = """,
boosted AS MATERIALIZED (
    SELECT
        n.product_id, n.category_id, n.popularity, n.vector::halfvec({search_dimension}) AS vector
    FROM embeddings_searchvector n
    WHERE n.product_id = ANY(%(boosted)s::bigint[]) AND n.projection_id = {projection_id}
        AND n.gender IN ({genders}) AND n.is_active{filters}
)"""
BOOSTED = """
                    UNION ALL
                    SELECT product_id, category_id, popularity, vector <=> history.vector
                    FROM boosted"""


def rank_candidates(
    query: Query, settings: RankingSettings, indexes: SearchIndexes, sizes: StreamSizes
) -> dict[int, Rail]:
    """The rails of those purchases that have a candidate, by purchase.

    A purchase whose product has no vector is ranked with a visual similarity of 0. Cost: one
    statement.
    """
    n_neighbours = _with_excluded(sizes.n_neighbours, query)
    sql = _statement(query, settings, indexes, replace(sizes, n_neighbours=n_neighbours))
    # How many products pass a filter decides how they are best found: planned with its values.
    fetch = fetch_planned if query.is_filtered else fetch_prepared
    rows = fetch(reading_connection(), sql, parameters(query, settings))
    return _rails(rows, settings, indexes.cosine_error)


def _statement(
    query: Query, settings: RankingSettings, indexes: SearchIndexes, sizes: StreamSizes
) -> str:
    """The SQL; only integers and names of our own enums are written into it.

    Sizes and k are literals: it is planned once, without values, and must know how few rows are
    wanted. A stream that passes nothing by and ends before its limit has seen every product;
    another one may have given up, so that whatever it read last is its edge.
    """
    passes_by = query.is_filtered or bool(query.boosts)
    return RANK_CANDIDATES.format(
        ef_search=max(40, sizes.n_neighbours),
        iterative_scan="relaxed_order" if passes_by else "off",
        max_scan_tuples=MAX_SCAN_TUPLES,
        bounds=BOUNDS,
        history=history(settings, indexes, after="scan"),
        unseen_popularity=unseen_popularity(sizes.n_trending),
        merchandised=_merchandised(query, indexes),
        nearby=nearby(query, indexes, sizes.n_nearby),
        unseen_proximity=unseen_proximity(query),
        terms=terms_of_best(),
        best=best_of_short_list(settings, _candidates(query, sizes), sizes.n_short),
        projection_id=indexes.projection_id,
        search_dimension=indexes.dimension,
        n_edge=0 if passes_by else sizes.n_neighbours,
        **_streams(query, indexes, sizes),
    )


def _streams(query: Query, indexes: SearchIndexes, sizes: StreamSizes) -> dict[str, str]:
    """The SQL of `trending` and of the neighbours."""
    filters = row_filters(query, "n") + stock_filter(query, "n")
    join = f"""
            JOIN embeddings_searchvector n
                ON n.product_id = p.product_id AND n.projection_id = {indexes.projection_id}"""
    return {
        "trending": trend_streams(
            query.genders,
            sizes.n_trending,
            join=join if filters else "",
            filters=filters + not_merchandised(query, "p"),
        ),
        "neighbours": neighbour_streams(
            indexes=indexes,
            genders=query.genders,
            vector="history.vector",
            n_neighbours=sizes.n_neighbours,
            filters=filters + not_merchandised(query, "n"),
        ),
    }


def _merchandised(query: Query, indexes: SearchIndexes) -> str:
    """The SQL of what the shop boosts or buries, and of the products themselves; or nothing."""
    if not query.boosts:
        return ""
    return merchandised(query) + LOOKED_AT.format(
        search_dimension=indexes.dimension,
        projection_id=indexes.projection_id,
        genders=gender_list(frozenset(query.genders)),
        filters=row_filters(query, "n") + stock_filter(query, "n"),
    )


def _candidates(query: Query, sizes: StreamSizes) -> str:
    return CANDIDATES.format(
        relevance=relevance_of("seen", "(1 - seen.cosine_distance)"),
        normalized_popularity=NORMALIZED_POPULARITY,
        proximity=proximity_of(query),
        merchandising=merchandising_term(query),
        boosted=BOOSTED if query.boosts else "",
        nearby_best=nearby_best(query, sizes.n_short),
        join=join_near_stock(query, "p") + join_merchandised(query, "p"),
        not_excluded=NOT_EXCLUDED.format(row="p"),
    )


def _with_excluded(n_neighbours: int, query: Query) -> int:
    """Enough rows that those of excluded products leave as many; in steps, for few statements."""
    steps = -(-len(query.excluded_product_ids) // EXCLUDED_STEP)
    return min(n_neighbours + steps * EXCLUDED_STEP, MAX_EF_SEARCH)


def _rails(
    rows: list[tuple[Any, ...]], settings: RankingSettings, cosine_error: float
) -> dict[int, Rail]:
    rails: dict[int, Rail] = {}
    for *of_product, cosine, decline, popularity, category, proximity in rows:
        row = ranked(of_product)
        unseen = Unseen(cosine, popularity, category, proximity)
        threshold = unseen.threshold(settings, cosine_error)
        rails.setdefault(row.purchase_id, Rail([], threshold, decline)).rows.append(row)
    for rail in rails.values():
        rail.rows.sort(key=lambda row: (-row.terms.relevance, row.product_id))
    return rails
