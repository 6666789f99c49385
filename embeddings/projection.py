"""Search vectors: the axes that shorten a backbone's vectors, and their first filling.

A vector index reads one page for almost every vector that it looks at, so that short vectors are
what makes it fast. Cosines of the short vectors choose a short list; the full ones rank it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from pgvector import HalfVector

from embeddings.models import Backbone, ProductVector, SearchAxis, SearchProjection
from embeddings.serving import read_vectors

SEARCH_DIMENSION = 512
MAX_FITTED = 20_000  # vectors; five times the dimension of the longest backbone
ROWS_PER_BATCH = 5_000
N_ERROR_QUERIES = 200
N_ERROR_NEIGHBOURS = 100
ERROR_QUANTILE = 0.999

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FittedAxes:
    """Axes (search_dimension, dimension) float32, orthonormal, and what they lose."""

    axes: np.ndarray
    cosine_error: float


def fit_axes(vectors: np.ndarray, dimension: int = SEARCH_DIMENSION) -> FittedAxes:
    """The `dimension` directions that keep most of the vectors' length (uncentred PCA).

    Not centred, since the cosine that is to be kept is one of uncentred vectors.

    Args:
        vectors: (n, d) float32, L2-normalised, n > 0 and d > dimension.
        dimension: of the short vectors.
    """
    from scipy.linalg import eigh  # not with every command and web process: it loads slowly

    full = vectors.shape[1]
    _, directions = eigh(vectors.T @ vectors, subset_by_index=[full - dimension, full - 1])
    axes = np.ascontiguousarray(directions.T[::-1], dtype=np.float32)  # (dimension, d)
    return FittedAxes(axes, _cosine_error(vectors, axes))


def _cosine_error(vectors: np.ndarray, axes: np.ndarray) -> float:
    """By how much a neighbour's cosine exceeds its short one, at the ERROR_QUANTILE; 0 or more."""
    short = vectors @ axes.T
    short /= np.linalg.norm(short, axis=1, keepdims=True)
    n_queries, n_near = min(N_ERROR_QUERIES, len(vectors)), min(N_ERROR_NEIGHBOURS, len(vectors))
    short_cosines = short[:n_queries] @ short.T  # (q, n)
    near = np.argpartition(-short_cosines, n_near - 1, axis=1)[:, :n_near]
    cosines = np.take_along_axis(vectors[:n_queries] @ vectors.T, near, axis=1)
    excess = cosines - np.take_along_axis(short_cosines, near, axis=1)
    return float(max(0.0, np.quantile(excess, ERROR_QUANTILE)))


def make_projection(backbone: Backbone, on_progress: Progress | None = None) -> SearchProjection:
    """Fit a projection on the served vectors and fill the search vectors of all products.

    Committed step by step: from the moment that the axes are visible, triggers shorten whatever is
    served; what was served before is filled in here, in batches. Interrupted, it is unfilled, is
    never searched, and is removed by the next call. Must run outside a transaction.
    """
    SearchProjection.objects.filter(backbone=backbone, is_filled=False).delete()
    projection, axes = _fit(backbone)
    _wait_for_earlier_writers()
    _fill(projection, axes, on_progress)
    SearchProjection.objects.filter(pk=projection.pk).update(is_filled=True)
    projection.refresh_from_db()
    return projection


def _fit(backbone: Backbone) -> tuple[SearchProjection, np.ndarray | None]:
    sample = _sample(backbone)
    fitted = fit_axes(sample) if backbone.dimension > SEARCH_DIMENSION else None
    with transaction.atomic():
        projection = SearchProjection.objects.create(
            backbone=backbone,
            dimension=min(backbone.dimension, SEARCH_DIMENSION),
            n_fitted=len(sample),
            cosine_error=fitted.cosine_error if fitted else 0.0,
        )
        if fitted:
            SearchAxis.objects.bulk_create(
                SearchAxis(projection=projection, position=n, axis=axis.tolist())
                for n, axis in enumerate(fitted.axes)
            )
    return projection, fitted.axes if fitted else None


def _sample(backbone: Backbone) -> np.ndarray:
    """Up to MAX_FITTED served vectors, spread over the catalogue: (n, dimension) float32."""
    rows = ProductVector.objects.filter(backbone=backbone, is_active=True)
    step = max(1, rows.count() // MAX_FITTED)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT product_id, halfvec_send(vector) FROM embeddings_productvector "
            "WHERE backbone_id = %s AND is_active AND hashint8(product_id) %% %s = 0 LIMIT %s",
            [backbone.pk, step, MAX_FITTED],
        )
        return read_vectors(cursor.fetchall(), backbone.dimension)[1]


def _wait_for_earlier_writers() -> None:
    """Transactions that began before the axes were visible end first, as their triggers saw none.

    What CREATE INDEX CONCURRENTLY does for the same reason.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE embeddings_productvector IN SHARE MODE")


def _fill(
    projection: SearchProjection, axes: np.ndarray | None, on_progress: Progress | None
) -> None:
    n_total = ProductVector.objects.filter(backbone=projection.backbone).count()
    n_done = 0
    for batch in _batches(projection.backbone):
        with transaction.atomic():
            _fill_batch(projection, axes, batch)
        n_done += len(batch)
        if on_progress:
            on_progress(min(n_done, n_total), n_total)


def _batches(backbone: Backbone) -> Iterator[list[tuple[int, bytes]]]:
    """(product key, binary vector) of the served vectors, by ascending key."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT product_id, halfvec_send(vector) FROM embeddings_productvector "
                "WHERE backbone_id = %s AND product_id > %s ORDER BY product_id LIMIT %s",
                [backbone.pk, last, ROWS_PER_BATCH],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _fill_batch(
    projection: SearchProjection, axes: np.ndarray | None, batch: list[tuple[int, bytes]]
) -> None:
    """Add the batch's search vectors; what a trigger has added meanwhile is newer, and stays."""
    ids, vectors = read_vectors(batch, projection.backbone.dimension)
    short = vectors if axes is None else vectors @ axes.T
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE staged (product_id bigint, vector halfvec) ON COMMIT DROP"
        )
        with cursor.copy("COPY staged FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "bytea"])  # the binary form of a halfvec, as it is
            for product_id, vector in zip(ids.tolist(), short, strict=True):
                copy.write_row((product_id, HalfVector(vector).to_binary()))
        cursor.execute(
            """
            INSERT INTO embeddings_searchvector
                (projection_id, product_id, vector, gender, category_id, price, is_active)
            SELECT %s, v.product_id, s.vector, v.gender, v.category_id, c.price, v.is_active
            FROM staged s
            JOIN embeddings_productvector v
                ON v.product_id = s.product_id AND v.backbone_id = %s
            JOIN catalog_product c ON c.id = s.product_id
            ORDER BY s.product_id FOR SHARE OF v
            ON CONFLICT DO NOTHING
            """,
            [projection.pk, projection.backbone_id],
        )
