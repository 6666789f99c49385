"""Visual neighbours of a product, and the SQL stream that finds them in a vector index."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from django.db import connection, transaction

from catalog.models import Gender, Product
from embeddings.models import Backbone, ProductVector

MAX_EF_SEARCH = 1000  # pgvector's limit; with ef_search below the LIMIT an index scan truncates

# The literals are what makes the planner choose the partial index of that backbone and gender; only
# a bare ascending distance with a limit uses it at all.
NEIGHBOUR_STREAM = """
    (SELECT n.product_id, n.vector::halfvec({dimension}) <=> {vector} AS cosine_distance
     FROM embeddings_productvector n
     WHERE n.backbone_id = {backbone_id} AND n.gender = '{gender}' AND n.is_active
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
    *, backbone: Backbone, genders: Sequence[str], vector: str, n_neighbours: int
) -> str:
    """SQL (product_id, cosine_distance) of the nearest products of each gender, one index each.

    Args:
        backbone: whose vectors and indexes.
        genders: names of `Gender`; each adds `n_neighbours` rows.
        vector: the SQL expression of the query vector, a `halfvec(dimension)`.
        n_neighbours: rows per gender.
    """
    return " UNION ALL ".join(
        NEIGHBOUR_STREAM.format(
            dimension=int(backbone.dimension),
            backbone_id=int(backbone.pk),
            gender=Gender(gender).value,
            vector=vector,
            n_neighbours=int(n_neighbours),
        )
        for gender in genders
    )


def set_ef_search(n_neighbours: int) -> None:
    """Let index scans of this transaction return `n_neighbours` rows (at most 1,000)."""
    with connection.cursor() as cursor:
        ef_search = str(max(40, min(n_neighbours, MAX_EF_SEARCH)))
        cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [ef_search])


def similar_products(*, product: Product, backbone: Backbone, k: int) -> list[Neighbour]:
    """The `k` active products of compatible gender that look most like `product`, nearest first.

    Ties go to the smaller product key. Empty where `product` has no vector of `backbone`.
    """
    if not ProductVector.objects.filter(product=product, backbone=backbone).exists():
        return []
    streams = neighbour_streams(
        backbone=backbone,
        genders=sorted(Gender(product.gender).compatible()),
        vector="(SELECT vector FROM query)",
        n_neighbours=k + 1,  # the product itself is its own nearest neighbour
    )
    sql = f"""
        WITH query AS MATERIALIZED (
            SELECT vector::halfvec({int(backbone.dimension)}) AS vector
            FROM embeddings_productvector WHERE product_id = %s AND backbone_id = %s
        )
        SELECT product_id, 1 - cosine_distance FROM ({streams}) AS neighbour
        WHERE product_id <> %s ORDER BY cosine_distance, product_id LIMIT %s
    """  # noqa: S608 - only integers and our own enum's names are formatted in
    with transaction.atomic(), connection.cursor() as cursor:
        set_ef_search(k + 1)
        cursor.execute(sql, [product.pk, backbone.pk, product.pk, k])
        return [Neighbour(*row) for row in cursor.fetchall()]
