"""The products that look most like a vector from outside the catalogue, narrowed by any filter."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F, QuerySet
from pgvector import HalfVector
from pgvector.django import CosineDistance

from catalog.database import reading_connection
from catalog.models import Gender
from embeddings.indexes import SearchIndexes, search_indexes
from embeddings.models import Backbone, ProductVector
from embeddings.neighbours import (
    MAX_EF_SEARCH,
    MIN_SHORT_LIST,
    SHORT_LIST,
    Neighbour,
    neighbour_streams,
    set_ef_search,
)

SHORT_LIST_SQL = """
WITH searched AS MATERIALIZED (
    SELECT embeddings_project({projection_id}, %(vector)s::halfvec)::halfvec({dimension}) AS vector
)
SELECT DISTINCT product_id FROM ({streams}) AS near
"""


def nearest_products(
    *,
    vector: Sequence[float],
    backbone: Backbone,
    k: int,
    products: QuerySet | None = None,
    genders: Iterable[str] = (),
) -> list[Neighbour]:
    """The `k` active products nearest to `vector`, nearest first; ties go to the smaller key.

    Whoever passes a filter and is among the thousand nearest of all comes before whoever is not:
    only where too few of those pass, all that pass are looked at.

    Args:
        vector: of the backbone, length one.
        backbone: whose vectors are compared.
        k: how many, where there are so many.
        products: those that count; all where not given.
        genders: of all `products`, which indexes are chosen by; any where none is named.
    """
    rows = ProductVector.objects.filter(backbone=backbone, is_active=True)
    if products is not None:
        rows = rows.filter(product__in=products.order_by().values("pk"))
    indexes = search_indexes(backbone)
    if indexes is None:
        return _nearest(rows, vector, k)
    n_short = MAX_EF_SEARCH if products is not None else max(SHORT_LIST * k, MIN_SHORT_LIST)
    short_list = _short_list(vector, indexes, genders, n_short)
    found = _nearest(rows.filter(product__in=short_list), vector, k)
    return found if len(found) == k else _nearest(rows, vector, k)


def _nearest(rows: QuerySet, vector: Sequence[float], k: int) -> list[Neighbour]:
    """By the full vectors. One query."""
    distance = CosineDistance(F("vector"), HalfVector(vector))
    found = rows.annotate(distance=distance).order_by("distance", "product_id")
    return [
        Neighbour(product_id, 1 - cosine_distance)
        for product_id, cosine_distance in found.values_list("product_id", "distance")[:k]
    ]


def _short_list(
    vector: Sequence[float], indexes: SearchIndexes, genders: Iterable[str], n_short: int
) -> list[int]:
    """The nearest by their short vectors, at most `n_short` of each audience. One query."""
    sql = SHORT_LIST_SQL.format(
        projection_id=indexes.projection_id,
        dimension=indexes.dimension,
        streams=neighbour_streams(
            indexes=indexes,
            genders=_indexed_with(genders),
            vector="(SELECT vector FROM searched)",
            n_neighbours=n_short,
        ),
    )
    connection = reading_connection()
    with transaction.atomic(using=connection.alias):
        set_ef_search(connection, n_short)
        with connection.cursor() as cursor:
            cursor.execute(sql, {"vector": HalfVector(vector).to_text()})
            return [product_id for (product_id,) in cursor.fetchall()]


def _indexed_with(genders: Iterable[str]) -> set[str]:
    """The genders, and those that share their index: a part of an audience has none."""
    own = {Gender(gender) for gender in genders} - {Gender.UNISEX}
    return {other for gender in own for other in gender.compatible()} or set(Gender)
