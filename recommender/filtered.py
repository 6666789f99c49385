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
from recommender.ranking import RankingSettings
from recommender.relevance import (
    BOUNDS,
    NORMALIZED_POPULARITY,
    NOT_EXCLUDED,
    POPULARITY_TERM,
    Query,
    parameters,
    ranked,
    row_filters,
    stock_filter,
)
from recommender.short_lists import (
    Rail,
    best_of_short_list,
    history,
    terms_of_best,
)

WORK_MEMORY = "32MB"  # holds what FEW_ROWS (recommender.retrieval) need of each, for 20 purchases

RANK_FILTERED = """
WITH {bounds},
{history},
passing AS MATERIALIZED (
    SELECT
        p.product_id, p.category_id, {normalized_popularity} AS normalized_popularity,
        ARRAY[{distances}] AS cosine_distances
    FROM embeddings_searchvector p CROSS JOIN bounds
    WHERE p.projection_id = {projection_id} AND p.gender IN ({genders}) AND p.is_active
        {filters}
)
SELECT {terms}, best.least_short, best.n_short
FROM (
    SELECT *, array_position(%(purchase_ids)s::bigint[], purchase_id) AS position FROM history
) AS history
CROSS JOIN LATERAL {best} AS best
"""

# All distances of a row while it is at hand: a vector has a kilobyte, and rows lie far apart.
DISTANCE = """
            COALESCE(p.vector::halfvec({search_dimension}) <=> (
                SELECT vector FROM history
                WHERE purchase_id = (%(purchase_ids)s::bigint[])[{position}]
            ), 1)"""

CANDIDATES = """
            SELECT
                p.product_id, p.normalized_popularity, p.category_similarity,
                %(weight_visual)s::float8 * (1 - p.cosine_distance) + {popularity_term}
                    + %(weight_category)s::float8 * p.category_similarity AS relevance
            FROM (
                SELECT
                    product_id, normalized_popularity,
                    cosine_distances[history.position] AS cosine_distance,
                    history.category_similarities[category_id] AS category_similarity
                FROM passing
            ) AS p
        """


def rank_filtered(
    query: Query, settings: RankingSettings, indexes: SearchIndexes, n_short: int
) -> dict[int, Rail]:
    """The rails of those purchases that have a candidate, by purchase.

    A purchase whose product has no vector is ranked with a visual similarity of 0. Cost: one
    statement, which reads the search vector of every product that passes, and one for its memory.
    """
    candidates = CANDIDATES.format(popularity_term=POPULARITY_TERM.format(row="p"))
    sql = RANK_FILTERED.format(
        bounds=BOUNDS,
        history=history(settings, indexes),
        search_dimension=indexes.dimension,
        projection_id=indexes.projection_id,
        genders=gender_list(frozenset(query.genders)),
        normalized_popularity=NORMALIZED_POPULARITY,
        distances=_distances(len(query.purchase_ids), indexes.dimension),
        filters=NOT_EXCLUDED.format(row="p") + row_filters(query, "p") + stock_filter(query, "p"),
        terms=terms_of_best(),
        best=best_of_short_list(settings, candidates, n_short),
    )
    connection = reading_connection()
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('work_mem', %s, true)", [WORK_MEMORY])
        rows = fetch_planned(connection, sql, parameters(query, settings))
    return _rails(rows, settings.weight_visual * indexes.cosine_error, n_short)


def _distances(n_purchases: int, dimension: int) -> str:
    return ",".join(
        DISTANCE.format(search_dimension=dimension, position=position)
        for position in range(1, n_purchases + 1)
    )


def _rails(rows: list[tuple[Any, ...]], error: float, n_short: int) -> dict[int, Rail]:
    rails: dict[int, Rail] = {}
    for *of_product, least_short, n_listed in rows:
        row = ranked(of_product)
        threshold = least_short + error if n_listed == n_short else -inf
        rails.setdefault(row.purchase_id, Rail([], threshold)).rows.append(row)
    for rail in rails.values():
        rail.rows.sort(key=lambda row: (-row.terms.relevance, row.product_id))
    return rails
