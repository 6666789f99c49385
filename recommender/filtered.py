"""A ranking of the few products that pass the filters: a scan of their search vectors.

An index scan throws away nearly everything that it finds where one product in twenty or fewer
passes. Here every product that passes is looked at, by its short vector, so that no stream can miss
one; what bounds the products that full vectors do not rank is the last of the short list.
"""

from math import inf
from typing import Any

from django.db import transaction

from catalog.database import fetch_planned, reading_connection
from embeddings.indexes import SearchIndexes, gender_list
from recommender.conditions import NOT_EXCLUDED, row_filters, stock_filter
from recommender.formula import BOUNDS, NORMALIZED_POPULARITY, parameters, relevance_of
from recommender.merchandising.terms import join_merchandised, merchandised, merchandising_term
from recommender.near_stock import join_near_stock, near_stock, proximity_of
from recommender.ranking import RankingSettings
from recommender.relevance import Query, ranked
from recommender.short_lists import (
    Rail,
    best_of_short_list,
    distances,
    history,
    terms_of_best,
)

WORK_MEMORY = "32MB"  # holds what FEW_ROWS (recommender.retrieval) need of each, for 20 purchases

RANK_FILTERED = """
WITH {bounds},
{history}{merchandised},
passing AS MATERIALIZED (
    SELECT
        p.product_id, p.category_id, {normalized_popularity} AS normalized_popularity,
        ARRAY[{distances}] AS cosine_distances
    FROM embeddings_searchvector p CROSS JOIN bounds
    WHERE p.projection_id = {projection_id} AND p.gender IN ({genders}) AND p.is_active
        {filters}
){near_stock}
SELECT {terms}, best.least_short, best.n_short
FROM history CROSS JOIN LATERAL {best} AS best
"""

CANDIDATES = """
            SELECT p.*, {relevance} AS relevance
            FROM (
                SELECT
                    passing.product_id, passing.normalized_popularity,
                    cosine_distances[history.position] AS cosine_distance,
                    history.category_similarities[passing.category_id] AS category_similarity,
                    {proximity} AS proximity, {merchandising} AS merchandising
                FROM passing{join}
            ) AS p
        """


def rank_filtered(
    query: Query, settings: RankingSettings, indexes: SearchIndexes, n_short: int
) -> dict[int, Rail]:
    """The rails of those purchases that have a candidate, by purchase.

    A purchase whose product has no vector is ranked with a visual similarity of 0. Cost: one
    statement, which reads the search vector of every product that passes, and one for its memory.
    """
    candidates = CANDIDATES.format(
        relevance=relevance_of("p", "(1 - p.cosine_distance)"),
        proximity=proximity_of(query),
        merchandising=merchandising_term(query),
        join=join_near_stock(query, "passing") + join_merchandised(query, "passing"),
    )
    sql = RANK_FILTERED.format(
        bounds=BOUNDS,
        history=history(settings, indexes),
        merchandised=merchandised(query),
        projection_id=indexes.projection_id,
        genders=gender_list(frozenset(query.genders)),
        normalized_popularity=NORMALIZED_POPULARITY,
        distances=distances(len(query.purchase_ids), indexes.dimension),
        filters=NOT_EXCLUDED.format(row="p") + row_filters(query, "p") + stock_filter(query, "p"),
        near_stock=near_stock(query, of="passing"),
        terms=terms_of_best(),
        best=best_of_short_list(settings, candidates, n_short),
    )
    connection = reading_connection()
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('work_mem', %s, true)", [WORK_MEMORY])
        rows = fetch_planned(connection, sql, parameters(query, settings))
    return _rails(rows, settings.weight_visual * indexes.cosine_error, n_short)


def _rails(rows: list[tuple[Any, ...]], error: float, n_short: int) -> dict[int, Rail]:
    rails: dict[int, Rail] = {}
    for *of_product, least_short, n_listed in rows:
        row = ranked(of_product)
        threshold = least_short + error if n_listed == n_short else -inf
        rails.setdefault(row.purchase_id, Rail([], threshold)).rows.append(row)
    for rail in rails.values():
        rail.rows.sort(key=lambda row: (-row.terms.relevance, row.product_id))
    return rails
