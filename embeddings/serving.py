"""Product vectors: what products are compared by, kept equal to their primary photo's embedding."""

from collections.abc import Iterable

import numpy as np
from django.db import connection
from django.db.models import BinaryField, F, Func

from embeddings.models import Backbone, Embedding, ProductVector

# Rows that already say the same are left alone, as every write adds an entry to a vector index.
UPSERT = """
INSERT INTO embeddings_productvector AS served
    (product_id, backbone_id, embedding_id, vector, gender, category_id, is_active)
{select}
ON CONFLICT (backbone_id, product_id) DO UPDATE SET
    embedding_id = EXCLUDED.embedding_id, vector = EXCLUDED.vector, gender = EXCLUDED.gender,
    category_id = EXCLUDED.category_id, is_active = EXCLUDED.is_active
WHERE (served.embedding_id, served.vector) IS DISTINCT FROM
    (EXCLUDED.embedding_id, EXCLUDED.vector)
"""


def refresh_product_vectors(backbone: Backbone, product_ids: list[int] | None = None) -> int:
    """Serve the current embedding of each product's primary photo; how many rows changed.

    A product whose primary photo has none yet keeps what it is served by. Without `product_ids`
    all products that are served by another photo than their primary one are looked at.
    """
    if product_ids == []:
        return 0
    served = Embedding.objects.served(backbone, product_ids)
    if product_ids is None:
        served = served.filter(serving__isnull=True)
    select, parameters = served.values_list(
        "image__product_id",
        "backbone_id",
        "id",
        "vector",
        "image__product__gender",
        "image__product__category_id",
        "image__product__is_active",
    ).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(UPSERT.format(select=select), parameters)
        return cursor.rowcount


def read_vectors(
    rows: Iterable[tuple[int, bytes]], dimension: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keys and binary halfvecs as arrays: ids (n,) int64, vectors (n, dimension) float32.

    pgvector's binary form is two int16, the dimension and a reserved one, and then big-endian
    halves. Rounding to halves left lengths 0.1% off one, so they are normalised again.
    """
    ids, vectors = [], []
    for row_id, binary in rows:
        ids.append(row_id)
        vectors.append(np.frombuffer(binary, dtype=">f2", offset=4))
    if not ids:
        return np.empty(0, np.int64), np.empty((0, dimension), np.float32)
    matrix = np.stack(vectors).astype(np.float32)
    return np.array(ids, np.int64), matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def vector_bytes(column: str) -> Func:
    """The column as `read_vectors` takes it."""
    return Func(F(column), function="halfvec_send", output_field=BinaryField())


def served_vectors(
    backbone: Backbone, *, with_inactive: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The vectors that active products are compared by; see `read_vectors` for shapes.

    `with_inactive` adds products that are no longer on sale, but may have been bought.
    """
    rows = ProductVector.objects.filter(backbone=backbone)
    rows = rows if with_inactive else rows.filter(is_active=True)
    rows = rows.order_by("product_id").values_list("product_id", vector_bytes("vector"))
    return read_vectors(rows.iterator(), backbone.dimension)


def masked_vectors(backbone: Backbone, mask_method: str) -> tuple[np.ndarray, np.ndarray]:
    """The current embeddings of active products' primary photos by one mask method."""
    rows = (
        Embedding.objects.current()
        .of(backbone)
        .of_primary_photos()
        .filter(mask_method=mask_method, image__product__is_active=True)
        .annotate(product_id=F("image__product_id"))
        .order_by("product_id")
        .values_list("product_id", vector_bytes("vector"))
    )
    return read_vectors(rows.iterator(), backbone.dimension)
