"""Index candidates for one shopper: two streams, one statement, and a bound on what it left unseen.

Visual neighbours of every purchase come from the vector indexes, products whose popularity lies
nearest to the shopper's trendiness from the trend indexes. Their short vectors choose a short list,
and the formula of `recommender.relevance` on full vectors ranks it.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Any

from catalog.database import fetch_planned, fetch_prepared, reading_connection
from embeddings.indexes import SearchIndexes
from embeddings.neighbours import MAX_EF_SEARCH, neighbour_streams
from recommender.ranking import RankingSettings
from recommender.relevance import (
    BOUNDS,
    NORMALIZED_POPULARITY,
    NOT_EXCLUDED,
    POPULARITY_PENALTY,
    POPULARITY_TERM,
    Query,
    parameters,
    ranked,
    row_filters,
    stock_filter,
    trend_streams,
)
from recommender.short_lists import (
    Rail,
    best_of_short_list,
    history,
    terms_of_best,
)

# A filtered scan goes on past ef_search until it has its rows, or has looked at so many.
MAX_SCAN_TUPLES = 5_000
EXCLUDED_STEP = 10


@dataclass(frozen=True)
class StreamSizes:
    """How far the streams are read, and how many candidates the full vectors rank per purchase."""

    n_neighbours: int
    n_trending: int
    n_short: int


@dataclass(frozen=True)
class Unseen:
    """What bounds every product that a rail's streams did not reach.

    Fagin's threshold: no unseen product has a larger cosine than the last neighbour read, a better
    popularity term than the last trending product read, and a better CatSim than the best there is.
    """

    cosine: float | None  # None: every product was read
    popularity: float | None  # the weighted term; None: every product was read
    category_similarity: float

    def threshold(self, settings: RankingSettings, cosine_error: float) -> float:
        """The relevance that no unseen product exceeds."""
        if self.cosine is None or self.popularity is None:
            return -inf
        return (
            settings.weight_visual * (self.cosine + cosine_error)
            + self.popularity
            + settings.weight_category * self.category_similarity
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
unseen AS MATERIALIZED (
    SELECT max({unseen_popularity}) AS popularity
    FROM (
        SELECT
            count(*) AS n,
            max(abs({normalized_popularity} - %(trendiness)s::float8)) AS distance
        FROM trending p CROSS JOIN bounds GROUP BY p.side
    ) AS edge
    WHERE edge.n >= {n_trending}
),
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
)
SELECT
    {terms},
    CASE WHEN history.vector IS NULL THEN 0 ELSE edges.cosine END,
    COALESCE(edges.decline, 0), unseen.popularity,
    (SELECT max(s) FROM unnest(history.category_similarities) AS s)
FROM history
LEFT JOIN edges USING (purchase_id)
CROSS JOIN unseen CROSS JOIN bounds
CROSS JOIN LATERAL {best} AS best
"""

CANDIDATES = """
            SELECT
                seen.product_id, seen.normalized_popularity, seen.category_similarity,
                %(weight_visual)s::float8 * (1 - seen.cosine_distance) + {popularity_term}
                    + %(weight_category)s::float8 * seen.category_similarity AS relevance
            FROM (
                SELECT DISTINCT ON (p.product_id)
                    p.product_id, COALESCE(p.cosine_distance, 1) AS cosine_distance,
                    {normalized_popularity} AS normalized_popularity,
                    history.category_similarities[p.category_id] AS category_similarity
                FROM (
                    SELECT product_id, category_id, popularity, cosine_distance
                    FROM near WHERE near.purchase_id = history.purchase_id
                    UNION ALL
                    SELECT product_id, category_id, popularity, vector <=> history.vector
                    FROM popular
                ) AS p
                WHERE true{not_excluded}
            ) AS seen
        """


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
    wanted. An unfiltered stream that ends before its limit has seen every product; a filtered one
    may have given up, so that whatever it read last is its edge.
    """
    filters = row_filters(query, "n") + stock_filter(query, "n")
    join = f"""
            JOIN embeddings_searchvector n
                ON n.product_id = p.product_id AND n.projection_id = {indexes.projection_id}"""
    candidates = CANDIDATES.format(
        normalized_popularity=NORMALIZED_POPULARITY,
        popularity_term=POPULARITY_TERM.format(row="seen"),
        not_excluded=NOT_EXCLUDED.format(row="p"),
    )
    return RANK_CANDIDATES.format(
        ef_search=max(40, sizes.n_neighbours),
        iterative_scan="relaxed_order" if query.is_filtered else "off",
        max_scan_tuples=MAX_SCAN_TUPLES,
        bounds=BOUNDS,
        history=history(settings, indexes, after="scan"),
        trending=trend_streams(
            query.genders, sizes.n_trending, join=join if filters else "", filters=filters
        ),
        neighbours=neighbour_streams(
            indexes=indexes,
            genders=query.genders,
            vector="history.vector",
            n_neighbours=sizes.n_neighbours,
            filters=filters,
        ),
        unseen_popularity=UNSEEN_POPULARITY,
        normalized_popularity=NORMALIZED_POPULARITY,
        terms=terms_of_best(),
        best=best_of_short_list(settings, candidates, sizes.n_short),
        projection_id=indexes.projection_id,
        search_dimension=indexes.dimension,
        n_edge=0 if query.is_filtered else sizes.n_neighbours,
        n_trending=sizes.n_trending,
    )


UNSEEN_POPULARITY = (
    f"%(weight_popularity)s::float8 * (1 - {POPULARITY_PENALTY.format(distance='edge.distance')})"
)


def _with_excluded(n_neighbours: int, query: Query) -> int:
    """Enough rows that those of excluded products leave as many; in steps, for few statements."""
    steps = -(-len(query.excluded_product_ids) // EXCLUDED_STEP)
    return min(n_neighbours + steps * EXCLUDED_STEP, MAX_EF_SEARCH)


def _rails(
    rows: list[tuple[Any, ...]], settings: RankingSettings, cosine_error: float
) -> dict[int, Rail]:
    rails: dict[int, Rail] = {}
    for *of_product, cosine, decline, popularity, category in rows:
        row = ranked(of_product)
        threshold = Unseen(cosine, popularity, category).threshold(settings, cosine_error)
        rails.setdefault(row.purchase_id, Rail([], threshold, decline)).rows.append(row)
    for rail in rails.values():
        rail.rows.sort(key=lambda row: (-row.terms.relevance, row.product_id))
    return rails
