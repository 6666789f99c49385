"""Which pairs are worth a closer look: the nearest by vector and by hash, read from indexes."""

from collections.abc import Sequence

from django.db import connection, transaction

from catalog.models import Gender
from embeddings.indexes import SearchIndexes, search_indexes
from embeddings.models import Backbone
from embeddings.neighbours import neighbour_streams, set_ef_search

N_NEAREST = 20  # of each product, by vector and by hash: the pairs grow with the catalogue alone

LOOKED_AT = """
WITH looked AS MATERIALIZED (
    SELECT v.product_id, v.vector::halfvec({dimension}) AS vector{short}
    FROM embeddings_productvector v{join}
    WHERE v.backbone_id = {backbone} AND v.product_id = ANY(%(products)s)
)
SELECT looked.product_id, near.product_id FROM looked CROSS JOIN LATERAL ({nearest}) AS near
WHERE near.product_id <> looked.product_id
"""
SHORT_VECTORS = """
    JOIN embeddings_searchvector s ON s.product_id = v.product_id
        AND s.projection_id = {projection}"""
ALL_VECTORS = """
    SELECT product_id FROM embeddings_productvector n
    WHERE n.backbone_id = {backbone} AND n.gender = ANY(%(genders)s) AND n.is_active
    ORDER BY n.vector::halfvec({dimension}) <=> looked.vector LIMIT {n}"""

BY_HASH = f"""
SELECT looked.product_id, image.product_id
FROM catalog_productimage AS looked
JOIN embeddings_photofingerprint AS print ON print.image_id = looked.id
CROSS JOIN LATERAL (
    SELECT image_id FROM embeddings_photofingerprint AS other
    ORDER BY other.bits <~> print.bits LIMIT {N_NEAREST + 1}
) AS near
JOIN catalog_productimage AS image ON image.id = near.image_id
WHERE looked.id = ANY(%(images)s) AND image.product_id <> looked.product_id
"""  # noqa: S608 - a number of ours

Pair = tuple[int, int]  # keys of two products, ascending


def nearest_by_vector(products: Sequence[int], gender: str, backbone: Backbone) -> set[Pair]:
    """Each of the products, all of one gender, with those on sale that look most like it."""
    genders = sorted(Gender(gender).compatible())
    indexes = search_indexes(backbone)
    sql = _indexed(backbone, indexes, genders) if indexes else _exact(backbone)
    with transaction.atomic(), connection.cursor() as cursor:
        set_ef_search(connection, 2 * N_NEAREST)
        cursor.execute(sql, {"products": list(products), "genders": genders})
        return {_ordered(*row) for row in cursor.fetchall()}


def nearest_by_hash(image_ids: Sequence[int]) -> set[Pair]:
    """The photos' products with those whose photos' hashes differ in the fewest bits."""
    with transaction.atomic(), connection.cursor() as cursor:
        set_ef_search(connection, 2 * N_NEAREST)
        cursor.execute(BY_HASH, {"images": list(image_ids)})
        return {_ordered(*row) for row in cursor.fetchall()}


def _exact(backbone: Backbone) -> str:
    nearest = ALL_VECTORS.format(
        backbone=int(backbone.pk), dimension=int(backbone.dimension), n=N_NEAREST + 1
    )
    return LOOKED_AT.format(
        backbone=int(backbone.pk),
        dimension=int(backbone.dimension),
        short="",
        join="",
        nearest=nearest,
    )


def _indexed(backbone: Backbone, indexes: SearchIndexes, genders: Sequence[str]) -> str:
    streams = neighbour_streams(
        indexes=indexes, genders=genders, vector="looked.short", n_neighbours=N_NEAREST + 1
    )
    return LOOKED_AT.format(
        backbone=int(backbone.pk),
        dimension=int(backbone.dimension),
        short=f", s.vector::halfvec({int(indexes.dimension)}) AS short",
        join=SHORT_VECTORS.format(projection=int(indexes.projection_id)),
        nearest=f"SELECT DISTINCT product_id FROM ({streams}) AS stream",  # noqa: S608 - ours
    )


def _ordered(a: int, b: int) -> Pair:
    return (a, b) if a < b else (b, a)
