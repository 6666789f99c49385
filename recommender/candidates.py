"""Index candidates for one shopper: two streams, one statement, and a bound on what it left unseen.

Visual neighbours of every purchase come from the vector indexes, products whose popularity lies
nearest to the shopper's trendiness from the trend indexes. Their short vectors choose a short list,
and the formula of `recommender.relevance` on full vectors ranks it.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from catalog.database import fetch_prepared, reading_connection
from embeddings.indexes import SearchIndexes
from embeddings.neighbours import MAX_EF_SEARCH, neighbour_streams
from recommender.ranking import RankingSettings
from recommender.relevance import (
    BOUNDS,
    CATEGORY_SIMILARITIES,
    NORMALIZED_POPULARITY,
    NOT_EXCLUDED,
    POPULARITY_TERM,
    PURCHASES,
    Query,
    RankedProduct,
    parameters,
    ranked,
    row_filters,
    stock_filter,
    trend_streams,
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
    cosine_decline: float  # by how much the cosine fell over the last three quarters of the stream
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


NOTHING_UNSEEN = Unseen(None, 0.0, None, 0.0)


@dataclass(frozen=True)
class IndexRail:
    """One purchase's top k of the candidates, best first, and what it left unseen."""

    rows: list[RankedProduct]
    unseen: Unseen

    def slack(self, settings: RankingSettings, cosine_error: float) -> float:
        """The least relevance in the rail minus the threshold.

        The rail is proven where it is not negative, up to the index's own recall.
        """
        least = self.rows[-1].terms.relevance if len(self.rows) == settings.k else -1e9
        return least - self.unseen.threshold(settings, cosine_error)


RANK_CANDIDATES = """
WITH {bounds},
history AS MATERIALIZED (
    SELECT
        h.purchase_id, s.vector::halfvec({search_dimension}) AS vector,
        v.vector::halfvec({dimension}) AS full_vector,
        {category_similarities}
    FROM {purchases}
    LEFT JOIN embeddings_productvector v
        ON v.product_id = h.product_id AND v.backbone_id = {backbone_id}
    LEFT JOIN embeddings_searchvector s
        ON s.product_id = h.product_id AND s.projection_id = {projection_id}
){trending},
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
    history.purchase_id, best.product_id, best.normalized_popularity,
    %(weight_visual)s::float8 * best.visual_similarity AS visual,
    {popularity_term_of_best} AS popularity,
    %(weight_category)s::float8 * best.category_similarity AS category,
    best.visual_similarity, best.category_similarity,
    CASE WHEN history.vector IS NULL THEN 0 ELSE edges.cosine END,
    COALESCE(edges.decline, 0), unseen.popularity,
    (SELECT max(s) FROM unnest(history.category_similarities) AS s)
FROM history
LEFT JOIN edges USING (purchase_id)
CROSS JOIN unseen CROSS JOIN bounds
CROSS JOIN LATERAL (
    SELECT exact.* FROM (
    SELECT
        short.product_id, short.normalized_popularity, short.category_similarity,
        COALESCE(1 - (v.vector::halfvec({dimension}) <=> history.full_vector), 0)
            AS visual_similarity
    FROM (
        SELECT candidate.* FROM (
            SELECT DISTINCT ON (p.product_id)
                p.product_id, COALESCE(p.cosine_distance, 1) AS cosine_distance,
                {normalized_popularity} AS normalized_popularity,
                history.category_similarities[p.category_id] AS category_similarity
            FROM (
                SELECT product_id, category_id, popularity, cosine_distance
                FROM near WHERE near.purchase_id = history.purchase_id
                UNION ALL
                SELECT product_id, category_id, popularity, vector <=> history.vector FROM popular
            ) AS p
            WHERE true{not_excluded}
        ) AS candidate
        ORDER BY
            %(weight_visual)s::float8 * (1 - candidate.cosine_distance)
                + {popularity_term_of_candidate}
                + %(weight_category)s::float8 * candidate.category_similarity DESC,
            candidate.product_id
        LIMIT {n_short}
    ) AS short
    JOIN embeddings_productvector v
        ON v.product_id = short.product_id AND v.backbone_id = {backbone_id}
    OFFSET 0  -- a fence, so that each cosine is computed once
    ) AS exact
    ORDER BY
        %(weight_visual)s::float8 * exact.visual_similarity
            + {popularity_term_of_exact}
            + %(weight_category)s::float8 * exact.category_similarity DESC,
        exact.product_id
    LIMIT {k}
) AS best
"""


def rank_candidates(
    query: Query, settings: RankingSettings, indexes: SearchIndexes, sizes: StreamSizes
) -> dict[int, IndexRail]:
    """The rails of those purchases that have a candidate, by purchase.

    A purchase whose product has no vector is ranked with a visual similarity of 0. Cost: one
    statement, and one that sets how far index scans go.
    """
    n_neighbours = _with_excluded(sizes.n_neighbours, query)
    sql = _statement(query, settings, indexes, replace(sizes, n_neighbours=n_neighbours))
    connection = reading_connection()
    with transaction.atomic(using=connection.alias):
        _set_scan(connection, query, n_neighbours)
        return _rails(fetch_prepared(connection, sql, parameters(query, settings)))


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
    return RANK_CANDIDATES.format(
        bounds=BOUNDS,
        category_similarities=CATEGORY_SIMILARITIES,
        purchases=PURCHASES,
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
        popularity_term_of_best=POPULARITY_TERM.format(row="best"),
        popularity_term_of_exact=POPULARITY_TERM.format(row="exact"),
        popularity_term_of_candidate=POPULARITY_TERM.format(row="candidate"),
        not_excluded=NOT_EXCLUDED.format(row="p"),
        projection_id=indexes.projection_id,
        search_dimension=indexes.dimension,
        backbone_id=int(settings.backbone.pk),
        dimension=int(settings.backbone.dimension),
        n_edge=0 if query.is_filtered else sizes.n_neighbours,
        n_trending=sizes.n_trending,
        n_short=sizes.n_short,
        k=int(settings.k),
    )


UNSEEN_POPULARITY = """%(weight_popularity)s::float8
        * (1 - power(edge.distance, %(penalty_exponent)s::float8))"""


def _with_excluded(n_neighbours: int, query: Query) -> int:
    """Enough rows that those of excluded products leave as many; in steps, for few statements."""
    steps = -(-len(query.excluded_product_ids) // EXCLUDED_STEP)
    return min(n_neighbours + steps * EXCLUDED_STEP, MAX_EF_SEARCH)


def _set_scan(connection: BaseDatabaseWrapper, query: Query, n_neighbours: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT set_config('hnsw.ef_search', %s, true),
                      set_config('hnsw.iterative_scan', %s, true),
                      set_config('hnsw.max_scan_tuples', %s, true),
                      set_config('plan_cache_mode', %s, true)""",
            [
                str(max(40, n_neighbours)),
                "relaxed_order" if query.is_filtered else "off",
                str(MAX_SCAN_TUPLES),
                # How many products pass a filter decides how they are best found.
                "force_custom_plan" if query.is_filtered else "force_generic_plan",
            ],
        )


def _rails(rows: list[tuple[Any, ...]]) -> dict[int, IndexRail]:
    rails: dict[int, IndexRail] = {}
    for *of_product, cosine, decline, popularity, category in rows:
        row = ranked(of_product)
        unseen = Unseen(cosine, decline, popularity, category)
        rails.setdefault(row.purchase_id, IndexRail([], unseen)).rows.append(row)
    for rail in rails.values():
        rail.rows.sort(key=lambda row: (-row.terms.relevance, row.product_id))
    return rails
