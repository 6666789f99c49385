"""The simulated year's rows in the database: reading what it starts from, writing, counting."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from catalog.models import Gender, Product, Stock, Store
from shoppers.bulk_load import copy_rows
from shoppers.models import ProductPopularity, Purchase, Shopper
from shoppers.simulation.world import Catalogue, World
from shoppers.simulation.year import Year

GENDERS = list(Gender)  # a gender's code is its place here
COMPATIBLE = {
    code: sorted(GENDERS.index(other) for other in gender.compatible())
    for code, gender in enumerate(GENDERS)
}
ROWS_PER_CHUNK = 50_000


@dataclass(frozen=True)
class SimulatedRows:
    """How many simulated rows there are, or were."""

    n_shoppers: int
    n_purchases: int
    n_stores: int
    n_base_popularities: int

    def __bool__(self) -> bool:
        return any((self.n_shoppers, self.n_purchases, self.n_stores, self.n_base_popularities))

    def __str__(self) -> str:
        return (
            f"{self.n_shoppers:,} shoppers, {self.n_purchases:,} purchases, "
            f"{self.n_stores:,} stores, {self.n_base_popularities:,} base popularities"
        )


def count_simulated_rows() -> SimulatedRows:
    """What earlier runs left."""
    return SimulatedRows(
        n_shoppers=Shopper.objects.filter(is_simulated=True).count(),
        n_purchases=Purchase.objects.filter(is_simulated=True).count(),
        n_stores=Store.objects.filter(is_simulated=True).count(),
        n_base_popularities=ProductPopularity.objects.filter(base_is_simulated=True).count(),
    )


def read_active_catalogue() -> Catalogue | None:
    """Active products in order of item id, so that keys change nothing; None where none is."""
    fields = (
        "item_id",
        "pk",
        "gender",
        "category__name",
        "popularity__base",
        "popularity__base_is_simulated",
        "popularity__counted",
    )
    # Sorted here because the database's collation may differ from one machine to the next.
    rows = sorted(Product.objects.active().order_by().values_list(*fields))
    if not rows:
        return None
    _, product_id, gender, category, base, is_simulated, counted = zip(*rows, strict=True)
    stocked = Stock.objects.filter(store__is_simulated=False).values_list("product_id", flat=True)
    base_popularity = np.array(base, dtype=np.int64)
    return Catalogue(
        product_id=np.array(product_id, dtype=np.int64),
        gender=np.array([GENDERS.index(value) for value in gender], dtype=np.int64),
        category=np.unique(category, return_inverse=True)[1],
        base=base_popularity,
        has_real_base=(base_popularity > 0) & ~np.array(is_simulated, dtype=bool),
        counted=np.array(counted, dtype=np.int64),
        has_real_stock=np.isin(product_id, list(stocked.distinct())),
    )


def write_world(
    world: World, catalogue: Catalogue, *, on_progress: Callable[[int, int], None]
) -> None:
    """Store a simulated world; `on_progress` gets (purchases written, all of them)."""
    n_purchases = len(world.year.product)
    store_ids = _write_stores(world)
    needs_stock = ~catalogue.has_real_stock
    _write_stock(catalogue.product_id[needs_stock], store_ids[world.stocked_in])
    shopper_ids = _write_shoppers(world)
    # Before the purchases: it locks every row that they lock, and more, in one go.
    _write_base_popularity(catalogue.product_id, world.base)
    _write_purchases(
        world.year, shopper_ids, catalogue.product_id, lambda done: on_progress(done, n_purchases)
    )
    _analyze()


def export_purchases(path: Path) -> None:
    """Write all simulated purchases as CSV in order of time, shopper and item.

    The columns are those that `import_purchases` reads; instants are ISO 8601 in UTC.
    """
    statement = """
        COPY (
            SELECT shopper.external_id AS shopper, product.item_id AS item_id,
                to_char(purchased_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS timestamp
            FROM shoppers_purchase AS purchase
            JOIN shoppers_shopper AS shopper ON shopper.id = purchase.shopper_id
            JOIN catalog_product AS product ON product.id = purchase.product_id
            WHERE purchase.is_simulated
            ORDER BY purchased_at, external_id COLLATE "C", item_id COLLATE "C"
        ) TO STDOUT WITH (FORMAT csv, HEADER)
    """
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            file.write(block)


def _write_stores(world: World) -> NDArray[np.int64]:
    latitudes, longitudes = world.stores_at
    names = _free_names(Store.objects.values_list("name", flat=True), "Simulated store ")
    stores = Store.objects.bulk_create(
        Store(name=next(names), latitude=latitude, longitude=longitude, is_simulated=True)
        for latitude, longitude in zip(latitudes.tolist(), longitudes.tolist(), strict=True)
    )
    return np.array([store.pk for store in stores])


def _write_stock(product_ids: NDArray[np.int64], store_ids: NDArray[np.int64]) -> None:
    """One piece of each product, (n,), in each of its stores, (n, stores_per_product)."""
    in_stores = np.repeat(product_ids, store_ids.shape[1])
    copy_rows(
        Stock._meta.db_table,
        ("product_id", "store_id", "quantity"),
        ((*pair, 1) for pair in zip(in_stores.tolist(), store_ids.ravel().tolist(), strict=True)),
    )


def _write_shoppers(world: World) -> NDArray[np.int64]:
    """Create simulated shoppers and return their keys, (n_shoppers,)."""
    names = _free_names(Shopper.objects.values_list("external_id", flat=True), "simulated-")
    now = timezone.now()
    values = (world.year.gender, world.trendiness, *world.shoppers_at)
    copy_rows(
        Shopper._meta.db_table,
        (
            "external_id",
            "gender",
            "trendiness",
            "latitude",
            "longitude",
            "is_simulated",
            "created_at",
        ),
        (
            (next(names), GENDERS[gender].value, *rest, True, now)
            for gender, *rest in zip(*(column.tolist() for column in values), strict=True)
        ),
    )
    # Keys come from a sequence, so they grow in the order in which the rows were sent.
    keys = Shopper.objects.filter(is_simulated=True).order_by("pk").values_list("pk", flat=True)
    return np.fromiter(keys.iterator(), dtype=np.int64, count=len(world.trendiness))


def _write_purchases(
    year: Year,
    shopper_ids: NDArray[np.int64],
    product_ids: NDArray[np.int64],
    on_progress: Callable[[int], None],
) -> None:
    """Store the year's purchases in chronological order; the database counts them."""

    def rows() -> Iterator[tuple[int, int, str, bool]]:
        for start in range(0, len(year.product), ROWS_PER_CHUNK):
            chunk = slice(start, start + ROWS_PER_CHUNK)
            yield from zip(
                shopper_ids[year.shopper[chunk]].tolist(),
                product_ids[year.product[chunk]].tolist(),
                np.datetime_as_string(year.instant[chunk], timezone="UTC").tolist(),
                repeat(True),
                strict=False,
            )
            on_progress(min(start + ROWS_PER_CHUNK, len(year.product)))

    copy_rows(
        Purchase._meta.db_table,
        ("shopper_id", "product_id", "purchased_at", "is_simulated"),
        rows(),
    )


def _write_base_popularity(product_id: NDArray[np.int64], base: NDArray[np.int64]) -> None:
    """Store simulated bases, both (n_products,); one that is real by now is left alone."""
    lock_popularity(ProductPopularity.objects.filter(product__is_active=True))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE shoppers_productpopularity AS p
            SET base = drawn.base, base_is_simulated = true
            FROM unnest(%s::bigint[], %s::integer[]) AS drawn (product_id, base)
            WHERE p.product_id = drawn.product_id AND (p.base = 0 OR p.base_is_simulated)
            """,
            [product_id.tolist(), base.tolist()],
        )


def lock_popularity(rows: "QuerySet[ProductPopularity]") -> None:
    """Lock rows in key order, as the triggers do; purchases of these products wait.

    Call it once in a transaction, for all rows that it will change: two rounds could deadlock
    with a purchase that got in between.
    """
    keys = rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
    for _ in keys.iterator():
        pass


def _analyze() -> None:
    """Tell the planner about the new rows now, not when autovacuum next comes by."""
    with connection.cursor() as cursor:
        for model in (Shopper, Purchase, ProductPopularity, Store, Stock):
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def _free_names(taken: QuerySet, prefix: str) -> Iterator[str]:
    """`prefix` + 1, 2, 3 ..., leaving out the names that real rows have."""
    used = set(taken)
    return (name for name in (f"{prefix}{number}" for number in count(1)) if name not in used)
