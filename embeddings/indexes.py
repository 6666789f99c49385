"""The vector indexes: one partial HNSW index per backbone and gender, built beside running queries.

A filter after an HNSW scan loses rows, hence one index per gender. pgvector indexes a `halfvec` of
up to 4,000 dimensions: vgg16 (4,096) has none and is always scanned exactly.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Count

from catalog.models import Gender
from embeddings.models import Backbone, ProductVector

MAX_DIMENSION = 4000
# `python -m benchmarks recommendations`: with 6,000 rows in its largest gender the index path took
# 51 ms a shopper and the exact one 37, with 20,000 rows 91 and 138.
MIN_ROWS = 10_000
BUILD_LOCK = "embeddings: build vector indexes"


def index_name(backbone_id: int, gender: str) -> str:
    """The name of the index of one backbone and gender."""
    return f"pv_hnsw_{backbone_id}_{gender.lower()}"


def ready_genders(backbone: Backbone) -> set[str]:
    """Genders whose index serves queries: built to its end, and of today's dimension. One query."""
    existing = _existing(backbone)
    return {
        gender
        for gender in Gender.values
        if _is_ready(backbone, existing.get(index_name(backbone.pk, gender)))
    }


def ensure_search_indexes(backbone: Backbone, *, min_rows: int = MIN_ROWS) -> list[str]:
    """Build what is missing or was left half built; the names of the indexes that were built.

    A gender with fewer than `min_rows` active vectors gets none, as an exact scan is as fast.
    Must run outside a transaction. Another process that builds at the same moment is left to it.
    """
    if backbone.dimension > MAX_DIMENSION:
        return []
    built = []
    with _only_builder() as is_ours:
        if not is_ours:
            return []
        existing = _existing(backbone)
        for gender, n_rows in _rows_per_gender(backbone).items():
            name = index_name(backbone.pk, gender)
            if n_rows < min_rows or _is_ready(backbone, existing.get(name)):
                continue
            _build(backbone, gender, name)
            built.append(name)
        if built:
            _execute(f"ANALYZE {ProductVector._meta.db_table}")
    return built


def drop_search_indexes(backbone: Backbone) -> None:
    """Drop a backbone's indexes; may run inside a transaction."""
    for name in _existing(backbone):
        _execute(f"DROP INDEX IF EXISTS {name}")


def _build(backbone: Backbone, gender: str, name: str) -> None:
    """Only our own names and numbers are formatted in; index definitions take no parameters."""
    _execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    _execute(
        f"CREATE INDEX CONCURRENTLY {name} ON {ProductVector._meta.db_table} "
        f"USING hnsw ((vector::halfvec({backbone.dimension})) halfvec_cosine_ops) "
        f"WHERE backbone_id = {backbone.pk} AND gender = '{Gender(gender).value}' AND is_active"
    )


def _existing(backbone: Backbone) -> dict[str, tuple[bool, str]]:
    """Name -> (whether it is valid, its definition) of the backbone's indexes."""
    names = [index_name(backbone.pk, gender) for gender in Gender.values]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, i.indisvalid, pg_get_indexdef(i.indexrelid)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relname = ANY(%s) AND i.indrelid = %s::regclass
            """,
            [names, ProductVector._meta.db_table],
        )
        return {name: (is_valid, definition) for name, is_valid, definition in cursor.fetchall()}


def _is_ready(backbone: Backbone, index: tuple[bool, str] | None) -> bool:
    return index is not None and index[0] and f"halfvec({backbone.dimension})" in index[1]


def _rows_per_gender(backbone: Backbone) -> dict[str, int]:
    rows = ProductVector.objects.filter(backbone=backbone, is_active=True)
    return dict(rows.order_by().values_list("gender").annotate(n=Count("pk")))


@contextmanager
def _only_builder() -> Iterator[bool]:
    """Whether no other process builds; never waits, as a waiting query would stop the build."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [BUILD_LOCK])
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            _execute("SELECT pg_advisory_unlock(hashtext(%s))", [BUILD_LOCK])


def _execute(statement: str, parameters: list[object] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
