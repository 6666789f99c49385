"""The exact ranking: every candidate of every purchase, without an index; the others' oracle."""

from catalog.database import reading_connection
from recommender.conditions import NOT_EXCLUDED, product_filters
from recommender.formula import (
    BOUNDS,
    CATEGORY_SIMILARITIES,
    NORMALIZED_POPULARITY,
    PURCHASES,
    columns_of,
    parameters,
    relevance_of,
)
from recommender.merchandising.terms import join_merchandised, merchandised, merchandising_term
from recommender.near_stock import join_near_stock, near_stock, proximity_of
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct, ranked

RANK_FOR_PURCHASES = """
WITH {bounds}{near_stock},
history AS MATERIALIZED (
    SELECT
        h.purchase_id, c.category_id, v.vector::halfvec({dimension}) AS vector,
        {category_similarities}
    FROM {purchases}
    LEFT JOIN embeddings_productvector v
        ON v.product_id = h.product_id AND v.backbone_id = {backbone_id}
){merchandised}
SELECT history.purchase_id, {columns}
FROM history CROSS JOIN bounds CROSS JOIN LATERAL (
    SELECT candidate.*, {relevance} AS relevance
    FROM (
        SELECT
            v.product_id,
            COALESCE(1 - (v.vector::halfvec({dimension}) <=> history.vector), 0)
                AS visual_similarity,
            {normalized_popularity} AS normalized_popularity,
            history.category_similarities[v.category_id] AS category_similarity,
            {proximity} AS proximity, {merchandising} AS merchandising
        FROM embeddings_productvector v
        JOIN shoppers_productpopularity p ON p.product_id = v.product_id{join}
        WHERE v.backbone_id = {backbone_id} AND v.is_active
            AND v.gender = ANY(%(genders)s::text[]){filters}
        OFFSET 0  -- a fence: merged into the outer query, each cosine was computed three times
    ) AS candidate
    ORDER BY relevance DESC, candidate.product_id
    LIMIT %(k)s::bigint
) AS best
ORDER BY history.purchase_id, best.relevance DESC, best.product_id
"""


def rank_exactly(query: Query, settings: RankingSettings) -> list[RankedProduct]:
    """The top `settings.k` candidates of every purchase, best first within a purchase.

    A purchase whose product has no vector is ranked with a visual similarity of 0. Ties go to the
    smaller product key. Cost: one statement, which reads every candidate's vector.
    """
    sql = RANK_FOR_PURCHASES.format(
        bounds=BOUNDS,
        near_stock=near_stock(query),
        category_similarities=CATEGORY_SIMILARITIES,
        purchases=PURCHASES,
        merchandised=merchandised(query),
        columns=columns_of("best"),
        relevance=relevance_of("candidate"),
        normalized_popularity=NORMALIZED_POPULARITY,
        proximity=proximity_of(query),
        merchandising=merchandising_term(query),
        join=join_near_stock(query, "v") + join_merchandised(query, "v"),
        filters=NOT_EXCLUDED.format(row="v") + product_filters(query, "v"),
        backbone_id=int(settings.backbone.pk),
        dimension=int(settings.backbone.dimension),
    )
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters(query, settings))
        return [ranked(row) for row in cursor.fetchall()]
