"""Visual neighbours of a product, and the SQL streams that find them in the vector indexes."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from catalog.database import reading_connection
from catalog.models import Gender, Product
from embeddings.indexes import SearchIndexes, gender_list, search_indexes
from embeddings.models import Backbone, ProductVector

MAX_EF_SEARCH = 1000  # pgvector's limit; with ef_search below the LIMIT an index scan truncates
SHORT_LIST = 4  # short vectors choose so many times k, which the full vectors then rank
MIN_SHORT_LIST = 50

# The literals are what makes the planner choose the partial index of that projection and audience;
# only a bare ascending distance with a limit uses it at all.
NEIGHBOUR_STREAM = """
    (SELECT
        {stream} AS stream, n.product_id, n.category_id, n.popularity,
        n.vector::halfvec({dimension}) <=> {vector} AS cosine_distance
     FROM embeddings_searchvector n
     WHERE n.projection_id = {projection_id} AND n.gender IN ({genders}) AND n.is_active{filters}
     ORDER BY n.vector::halfvec({dimension}) <=> {vector} LIMIT {n_neighbours})"""


@dataclass(frozen=True)
class Neighbour:
    """A product that looks alike; both vectors have length 1."""

    product_id: int
    cosine_similarity: float

    @property
    def euclidean_distance(self) -> float:
        """|a - b| of unit vectors: sqrt(2 - 2 cos), so it ranks exactly as the cosine does."""
        return sqrt(max(0.0, 2.0 - 2.0 * self.cosine_similarity))


def neighbour_streams(
    *,
    indexes: SearchIndexes,
    genders: Iterable[str],
    vector: str,
    n_neighbours: int | str,
    filters: str = "",
) -> str:
    """SQL of the nearest products: (stream, product_id, category_id, popularity, cosine_distance).

    One index scan per audience that `genders` take; a product may come from two of them.

    Args:
        indexes: what can be searched.
        genders: names of `Gender`.
        vector: the SQL expression of the query's search vector, `halfvec(indexes.dimension)`.
        n_neighbours: rows per stream, a number or an SQL parameter.
        filters: more conditions on the row `n`, each with its AND.
    """
    return " UNION ALL ".join(
        NEIGHBOUR_STREAM.format(
            stream=number,
            dimension=indexes.dimension,
            projection_id=indexes.projection_id,
            genders=gender_list(audience),
            vector=vector,
            n_neighbours=n_neighbours,
            filters=filters,
        )
        for number, audience in enumerate(indexes.cover(genders))
    )


def set_ef_search(connection: BaseDatabaseWrapper, n_neighbours: int) -> None:
    """Let index scans of this transaction return `n_neighbours` rows (at most 1,000)."""
    with connection.cursor() as cursor:
        ef_search = str(max(40, min(n_neighbours, MAX_EF_SEARCH)))
        cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [ef_search])


def similar_products(*, product: Product, backbone: Backbone, k: int) -> list[Neighbour]:
    """The `k` active products of compatible gender that look most like `product`, nearest first.

    Ties go to the smaller product key. Empty where `product` has no vector of `backbone`. Cost:
    without an index an exact scan, with one its streams and a few full vectors.
    """
    if not ProductVector.objects.filter(product=product, backbone=backbone).exists():
        return []
    connection, genders = reading_connection(), sorted(Gender(product.gender).compatible())
    indexes = search_indexes(backbone)
    if indexes is None:
        return _ranked(connection, product, backbone, k, ALL_CANDIDATES, genders)
    n_short = min(max(SHORT_LIST * k, MIN_SHORT_LIST) + 1, MAX_EF_SEARCH)
    streams = neighbour_streams(
        indexes=indexes,
        genders=genders,
        vector="(SELECT vector FROM searched)",
        n_neighbours=n_short,
    )
    candidates = INDEX_CANDIDATES.format(
        dimension=indexes.dimension, projection_id=indexes.projection_id, streams=streams
    )
    with transaction.atomic(using=connection.alias):
        set_ef_search(connection, n_short)
        return _ranked(connection, product, backbone, k, candidates, genders)


ALL_CANDIDATES = """
    candidates AS (
        SELECT product_id FROM embeddings_productvector
        WHERE backbone_id = %(backbone)s AND gender = ANY(%(genders)s) AND is_active
    )"""

INDEX_CANDIDATES = """
    searched AS MATERIALIZED (
        SELECT vector::halfvec({dimension}) AS vector FROM embeddings_searchvector
        WHERE product_id = %(product)s AND projection_id = {projection_id}
    ),
    candidates AS MATERIALIZED (SELECT DISTINCT product_id FROM ({streams}) AS near)"""


def _ranked(
    connection: BaseDatabaseWrapper,
    product: Product,
    backbone: Backbone,
    k: int,
    candidates: str,
    genders: list[str],
) -> list[Neighbour]:
    """The candidates' `k` nearest by their full vectors."""
    dimension = int(backbone.dimension)
    sql = f"""
        WITH query AS MATERIALIZED (
            SELECT vector::halfvec({dimension}) AS vector FROM embeddings_productvector
            WHERE product_id = %(product)s AND backbone_id = %(backbone)s
        ), {candidates}
        SELECT v.product_id, 1 - (v.vector::halfvec({dimension}) <=> query.vector)
        FROM candidates JOIN embeddings_productvector v USING (product_id) CROSS JOIN query
        WHERE v.backbone_id = %(backbone)s AND v.is_active AND v.product_id <> %(product)s
        ORDER BY v.vector::halfvec({dimension}) <=> query.vector, v.product_id LIMIT %(k)s
    """  # noqa: S608 - only integers and our own SQL are formatted in
    with connection.cursor() as cursor:
        cursor.execute(
            sql, {"product": product.pk, "backbone": backbone.pk, "genders": genders, "k": k}
        )
        return [Neighbour(*row) for row in cursor.fetchall()]
