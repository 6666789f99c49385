"""Fill the benchmark's own database with a catalogue, or find it filled already."""

from collections.abc import Iterator

import numpy as np
from django.core.management import call_command
from django.db import connection, transaction
from numpy.typing import NDArray

from benchmarks.datasets.catalogue_data import GENDERS, CatalogueData
from benchmarks.datasets.stores import StoreNetwork
from benchmarks.filling.binary_copy import copy_columns
from benchmarks.stages import Stages
from benchmarks.synthetic import TABLES
from catalog.models import Category, CategoryGroup, Store
from embeddings.models import Backbone

BLOCK_ROWS = 10_000  # 26 MB of 1,280-d vectors; each block is a transaction of its own
ROUNDS = 16  # more than rows in a page of the search table
LAYOUT_VERSION = 1  # of the tables' contents: count up to refill databases that are there

MARK = """
CREATE TABLE IF NOT EXISTS benchmark_fill (fingerprint text NOT NULL);
CREATE TABLE IF NOT EXISTS benchmark_product (
    id bigint PRIMARY KEY, gender smallint NOT NULL, category_id bigint NOT NULL,
    cents integer NOT NULL, popularity integer NOT NULL
)
"""
# A trigger on products adds their popularity rows.
PRODUCTS = """
INSERT INTO catalog_product (id, item_id, title, gender, category_id, color, season, usage,
        is_active, created_at, updated_at, price)
    SELECT id, 'p' || id, '', (%(genders)s::text[])[gender + 1], category_id, '', '', '',
        true, now(), now(), cents / 100.0
    FROM benchmark_product WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id;
UPDATE shoppers_productpopularity AS p SET base = b.popularity FROM benchmark_product AS b
    WHERE b.id = p.product_id AND b.id BETWEEN %(first)s AND %(last)s;
INSERT INTO catalog_productimage (id, product_id, image, segmentation_map, view, sha256,
        segmentation_sha256, created_at)
    SELECT id, id, '', '', 'front', '', '', now()
    FROM benchmark_product WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id
"""
# A truncated index stays, and would be filled row by row instead of being built.
SEARCH_INDEXES = "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'sv!_hnsw!_%' ESCAPE '!'"
SEQUENCED = ("catalog_product", "catalog_productimage", "embeddings_embedding")
SEQUENCED += ("embeddings_productvector", "catalog_stock")


def ensure_filled(data: CatalogueData, stores: StoreNetwork, stages: Stages) -> Backbone:
    """The backbone of a database that holds exactly `data` and no shoppers.

    A database that an earlier run filled with the same data is used as it is, indexes included;
    one that a run left half filled is filled anew. Cost: two copies of the vectors.
    """
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(MARK)
        cursor.execute("SELECT fingerprint FROM benchmark_fill")
        marks = [mark for (mark,) in cursor.fetchall()]
    backbone = Backbone.objects.filter(name=data.name).first()
    if marks == [_mark(data)] and backbone is not None:
        forget_shoppers()
        return backbone
    return _fill(data, stores, stages)


def _fill(data: CatalogueData, stores: StoreNetwork, stages: Stages) -> Backbone:
    with connection.cursor() as cursor:
        cursor.execute(SEARCH_INDEXES)
        for (index,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {index}")
        cursor.execute("TRUNCATE benchmark_fill, benchmark_product")
        cursor.execute(f"TRUNCATE {TABLES}, catalog_store RESTART IDENTITY CASCADE")
    _add_categories(data)
    _copy_staged(data)
    with stages.stage("products", len(data)) as report:
        for block in _blocks(len(data)):
            _add_products(block)
            report(block.stop)
    backbone = Backbone.objects.create(name=data.name, dimension=data.dimension)
    with stages.stage("vectors", len(data)) as report:
        for block in _blocks(len(data)):
            _add_vectors(data, backbone, block)
            report(block.stop)
    _add_stock(stores)
    with connection.cursor() as cursor:
        for table in SEQUENCED:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "  # noqa: S608 - our names
                f"(SELECT max(id) FROM {table}))"
            )
    with stages.stage("vacuum and analyze"), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO benchmark_fill VALUES (%s)", [_mark(data)])
    return backbone


def set_popularity(data: CatalogueData, kind: str, stages: Stages) -> NDArray[np.int32]:
    """Give all products the popularity `kind` and return it; nothing is written where it is so."""
    popularity = data.popularity(kind)
    sample = np.random.default_rng(0).integers(0, len(data), 100)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT product_id, base FROM shoppers_productpopularity WHERE product_id = ANY(%s)",
            [(sample + 1).tolist()],
        )
        if all(popularity[key - 1] == base for key, base in cursor.fetchall()):
            return popularity
    with stages.stage(f"popularity: {kind}", len(data)) as report:
        # One row of a page at a time: the next round finds the page's room again, so that no new
        # version of a row needs an entry in the vector index. All at once, six in seven would.
        for start in range(ROUNDS):
            update_popularity(popularity, slice(start, len(data), ROUNDS))
            report(len(data) * (start + 1) // ROUNDS)
    with stages.stage("vacuum and analyze"), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return popularity


def _mark(data: CatalogueData) -> str:
    return f"{LAYOUT_VERSION}:{data.fingerprint}:{len(data)}"


def forget_shoppers() -> None:
    """Remove all shoppers with their purchases, and count nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE recommender_recommendationlog, shoppers_purchase, shoppers_shopper "
            "RESTART IDENTITY CASCADE"
        )
        cursor.execute("UPDATE shoppers_productpopularity SET counted = 0 WHERE counted <> 0")


def _add_categories(data: CatalogueData) -> None:
    names = sorted(set(data.category_groups))
    groups = CategoryGroup.objects.bulk_create(CategoryGroup(name=name) for name in names)
    by_name = {group.name: group for group in groups}
    Category.objects.bulk_create(
        Category(name=name, group=by_name[group])
        for name, group in zip(data.category_names, data.category_groups, strict=True)
    )


def _copy_staged(data: CatalogueData) -> None:
    columns = {
        "id": np.arange(1, len(data) + 1, dtype=np.int64),
        "gender": data.genders.astype(np.int16),
        "category_id": data.categories.astype(np.int64) + 1,
        "cents": data.prices_cents,
        "popularity": data.popularity("continuous"),
    }
    with connection.cursor() as cursor:
        copy_columns(cursor.cursor, "benchmark_product", columns, len(data))
        cursor.execute("ANALYZE benchmark_product")


@transaction.atomic
def _add_products(block: slice) -> None:
    bounds = {"first": block.start + 1, "last": block.stop, "genders": GENDERS}
    with connection.cursor() as cursor:
        for statement in PRODUCTS.split(";"):
            cursor.execute(statement, bounds)


@transaction.atomic
def _add_vectors(data: CatalogueData, backbone: Backbone, block: slice) -> None:
    """A block's embeddings and product vectors; one COPY per gender, as texts vary in length."""
    keys = np.arange(block.start + 1, block.stop + 1, dtype=np.int64)
    vectors = np.asarray(data.vectors[block])
    now = np.zeros(len(keys), dtype=np.int64)  # microseconds since 2000
    backbones = np.full(len(keys), backbone.pk, dtype=np.int64)
    embeddings = {
        "id": keys, "image_id": keys, "backbone_id": backbones, "region": b"whole",
        "mask_method": b"none", "state": b"ready", "error": b"",
        "attempts": np.ones(len(keys), dtype=np.int16), "vector": vectors, "image_sha256": b"",
        "mask_fingerprint": b"", "weights_sha256": b"", "updated_at": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        copy_columns(cursor.cursor, "embeddings_embedding", embeddings, len(keys))
        genders = data.genders[block]
        for code in np.unique(genders):
            of = genders == code
            served = {
                "id": keys[of], "product_id": keys[of], "backbone_id": backbones[of],
                "embedding_id": keys[of], "vector": vectors[of],
                "gender": GENDERS[code].encode(),
                "category_id": data.categories[block][of].astype(np.int64) + 1,
                "is_active": np.ones(of.sum(), dtype=bool),
            }  # fmt: skip
            copy_columns(cursor.cursor, "embeddings_productvector", served, int(of.sum()))


def _add_stock(stores: StoreNetwork) -> None:
    Store.objects.bulk_create(
        Store(name=f"S{n}", latitude=latitude, longitude=longitude)
        for n, (latitude, longitude) in enumerate(stores.places.tolist())
    )
    n_rows = len(stores.stocked_products)
    columns = {
        "id": np.arange(1, n_rows + 1, dtype=np.int64),
        "product_id": stores.stocked_products.astype(np.int64) + 1,
        "store_id": stores.stocked_stores.astype(np.int64) + 1,
        "quantity": np.ones(n_rows, dtype=np.int32),
    }
    with connection.cursor() as cursor:
        copy_columns(cursor.cursor, "catalog_stock", columns, n_rows)


@transaction.atomic
def update_popularity(popularity: NDArray[np.int32], block: slice) -> None:
    """Give the products of a block of positions the base `popularity[block]`."""
    columns = {
        "product_id": np.arange(1, len(popularity) + 1, dtype=np.int64)[block],
        "base": popularity[block],
    }
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE fresh (product_id bigint, base int) ON COMMIT DROP")
        copy_columns(cursor.cursor, "fresh", columns, len(columns["base"]))
        cursor.execute(
            "UPDATE shoppers_productpopularity AS p SET base = fresh.base FROM fresh "
            "WHERE p.product_id = fresh.product_id"
        )


def _blocks(n_rows: int, size: int = BLOCK_ROWS) -> Iterator[slice]:
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
