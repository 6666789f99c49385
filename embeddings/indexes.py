"""The vector indexes: partial HNSW indexes on search vectors, built beside running queries.

A filter after an HNSW scan loses rows, so that an index holds exactly what one kind of shopper may
see: an audience, such as women's and unisex products. One index per gender would take two scans
for every adult, which was measured to cost 1.7 times as much.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import connection
from django.db.models import Count

from catalog.database import reading_connection
from catalog.models import Gender
from embeddings.index_progress import watching_build
from embeddings.models import Backbone, ProductVector, SearchProjection, SearchVector
from embeddings.projection import make_projection

MIN_ROWS = 3_000
BUILD_LOCK = "embeddings: build vector indexes"

SEARCHABLE = """
    SELECT
        p.id, p.dimension, p.cosine_error,
        array_agg(c.relname::text), array_agg(c.reltuples::bigint)
    FROM embeddings_searchprojection p
    CROSS JOIN pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = %s::regclass AND i.indisvalid AND p.backbone_id = %s AND p.is_filled
    GROUP BY p.id ORDER BY p.id DESC LIMIT 1
"""

Audience = frozenset[str]
Progress = Callable[[str, int, int], None]  # stage, done, total
AUDIENCES: tuple[Audience, ...] = tuple(
    sorted(
        {frozenset(g.value for g in gender.compatible()) for gender in Gender}
        - {frozenset(Gender)},
        key=sorted,
    )
)
UNISEX_ONLY: Audience = frozenset({Gender.UNISEX.value})


@dataclass(frozen=True)
class SearchIndexes:
    """What of a backbone can be searched by index, now."""

    projection_id: int
    dimension: int  # of the search vectors
    cosine_error: float
    audiences: tuple[Audience, ...]  # each has a valid index
    n_rows: int  # in the largest of them, as last counted by the database

    def cover(self, genders: Iterable[str]) -> list[Audience]:
        """Disjoint or overlapping sets that together are `genders`: one index scan each, and last,
        for genders that have none, one set that is scanned by its rows.

        Genders without an index are small, or their index is being built.
        """
        missing, chosen = set(genders), []
        wanted = frozenset(missing)
        for audience in sorted(self.audiences, key=lambda a: (-len(a), sorted(a))):
            if audience <= wanted and audience & missing:
                chosen.append(audience)
                missing -= audience
        return [*chosen, frozenset(missing)] if missing else chosen


def index_name(projection_id: int, audience: Audience) -> str:
    """The name of the index of one projection and audience."""
    return f"sv_hnsw_{projection_id}_{'_'.join(sorted(audience)).lower()}"


def gender_list(audience: Audience) -> str:
    """The genders as SQL literals; the planner must see them to choose a partial index."""
    return ", ".join(f"'{Gender(gender).value}'" for gender in sorted(audience))


def search_indexes(backbone: Backbone) -> SearchIndexes | None:
    """What can be searched: of the newest filled projection, the indexes that are valid. One query.

    None where no index can answer; an index that is half built or invalid never does.
    """
    with reading_connection().cursor() as cursor:
        cursor.execute(SEARCHABLE, [SearchVector._meta.db_table, backbone.pk])
        row = cursor.fetchone()
    if row is None:
        return None
    projection_id, dimension, cosine_error, names, sizes = row
    n_rows = dict(zip(names, sizes, strict=True))
    audiences = tuple(a for a in _all_audiences() if index_name(projection_id, a) in n_rows)
    if not audiences:
        return None
    largest = max(n_rows[index_name(projection_id, audience)] for audience in audiences)
    return SearchIndexes(projection_id, dimension, cosine_error, audiences, largest)


def ensure_search_indexes(
    backbone: Backbone, *, min_rows: int = MIN_ROWS, on_progress: Progress | None = None
) -> list[str]:
    """Build what is missing or was left half built; the names of the indexes that were built.

    An audience whose own genders have fewer than `min_rows` active vectors gets none, as an exact
    scan is as fast. Must run outside a transaction. Another process that builds at the same moment
    is left to it.
    """
    on_progress = on_progress or _ignore
    with _only_builder() as is_ours:
        if not is_ours:
            return []
        wanted = wanted_audiences(_rows_per_gender(backbone), min_rows)
        if not wanted:
            return []
        projection = _projection(backbone)
        if projection is None:
            projection = make_projection(backbone, partial(on_progress, "Shortening vectors"))
        built = _build_missing(projection, wanted, on_progress)
        if built:
            _execute(f"ANALYZE {SearchVector._meta.db_table}")
    return built


def wanted_audiences(n_rows: dict[str, int], min_rows: int) -> list[Audience]:
    """Which indexes a catalogue of `n_rows` per gender needs.

    Unisex products are in every audience's index; in one of their own only where some audience has
    too few products for an index, as in a shop that tells no genders.
    """

    def n_own(audience: Audience) -> int:
        return sum(n_rows.get(gender, 0) for gender in audience - UNISEX_ONLY)

    wanted = [audience for audience in AUDIENCES if n_own(audience) >= min_rows]
    n_unisex = n_rows.get(Gender.UNISEX.value, 0)
    if len(wanted) < len(AUDIENCES) and n_unisex >= min_rows:
        wanted.append(UNISEX_ONLY)
    return wanted


def drop_search_indexes(backbone: Backbone) -> None:
    """Drop a backbone's indexes and search vectors; may run inside a transaction."""
    for projection in backbone.projections.all():
        for name in _existing(projection):
            _execute(f"DROP INDEX IF EXISTS {name}")
    SearchVector.objects.filter(projection__backbone=backbone).delete()
    backbone.projections.all().delete()


def _build_missing(
    projection: SearchProjection, wanted: list[Audience], on_progress: Progress
) -> list[str]:
    existing, built = _existing(projection), []
    for audience in wanted:
        name = index_name(projection.pk, audience)
        if existing.get(name):
            continue
        stage = partial(on_progress, f"Indexing {', '.join(sorted(audience)).lower()}")
        with watching_build(SearchVector._meta.db_table, stage):
            _build(projection, audience, name)
        built.append(name)
    return built


def _build(projection: SearchProjection, audience: Audience, name: str) -> None:
    """Only our own names and numbers are formatted in; index definitions take no parameters."""
    _execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    _execute(
        f"CREATE INDEX CONCURRENTLY {name} ON {SearchVector._meta.db_table} "
        f"USING hnsw ((vector::halfvec({projection.dimension})) halfvec_cosine_ops) "
        f"WHERE projection_id = {projection.pk} AND gender IN ({gender_list(audience)}) "
        "AND is_active"
    )


def _ignore(stage: str, done: int, total: int) -> None:
    """No progress is wanted."""


def _all_audiences() -> tuple[Audience, ...]:
    return (*AUDIENCES, UNISEX_ONLY)


def _projection(backbone: Backbone) -> SearchProjection | None:
    return backbone.projections.filter(is_filled=True).order_by("-pk").first()


def _existing(projection: SearchProjection) -> dict[str, bool]:
    """Name -> whether it is valid, of the projection's indexes."""
    names = [index_name(projection.pk, audience) for audience in _all_audiences()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, i.indisvalid
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relname = ANY(%s) AND i.indrelid = %s::regclass
            """,
            [names, SearchVector._meta.db_table],
        )
        return dict(cursor.fetchall())


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
