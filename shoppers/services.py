"""What can be done with shoppers and purchases: simulate, reset, import, rebuild."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from django.db import connection, transaction
from django.db.models import F, Max

from catalog.models import Store
from shoppers import purchase_staging, simulated_rows
from shoppers.csv_file import BadLinesError, BadRow
from shoppers.geography import WHOLE_EARTH, BoundingBox
from shoppers.models import ProductPopularity, Purchase, Shopper
from shoppers.purchase_file import PurchaseFile
from shoppers.simulated_rows import SimulatedRows
from shoppers.simulation.world import (
    Catalogue,
    SimulationSettings,
    mean_popularity_by_third,
    simulate_world,
)

SIMULATION_LOCK = 0x5EA50  # any number that no other advisory lock of the project has
SHOPPERS_PER_DELETE = 10_000  # bounds the rows in memory while a deletion cascades

Progress = Callable[[int, int], None]


class SimulationError(Exception):
    """The simulation cannot run; the message says what to do."""


@dataclass(frozen=True)
class SimulationSummary:
    """What a simulation wrote; `normalized_popularity` is `mean_popularity_by_third`'s."""

    n_shoppers: int
    n_purchases: int
    n_stores: int
    n_products: int
    normalized_popularity: tuple[float | None, ...]
    seconds: float


@dataclass(frozen=True)
class PurchaseImportReport:
    """What an import wrote, and the lines that it left out."""

    n_added: int
    n_already_there: int
    n_new_shoppers: int
    ignored_columns: tuple[str, ...]
    bad_rows: list[BadRow]
    seconds: float

    def __str__(self) -> str:
        return (
            f"Imported {self.n_added:,} purchases and {self.n_new_shoppers:,} new shoppers in "
            f"{self.seconds:.1f} s; {self.n_already_there:,} purchases were already there."
        )


def simulate_purchases(
    *,
    n_shoppers: int,
    max_purchases: int,
    n_stores: int,
    year: int,
    seed: int,
    stores_per_product: int = 1,
    reset: bool = False,
    bounding_box: BoundingBox | None = None,
    export: Path | None = None,
    on_progress: Progress | None = None,
) -> SimulationSummary:
    """Simulate a year of shopping over the active catalogue and store it, all or nothing.

    The same seed over the same catalogue gives the same purchases, whatever its primary keys.
    Real rows stay: real purchases count into the popularity from the start, a real base popularity
    is used as it is, and products in real stores get no simulated stock.

    `export` receives the simulated purchases as CSV. `on_progress` gets (done, total), each
    purchase once when simulated and once when written. Raises SimulationError for impossible
    arguments, an empty catalogue, or a simulated year already there when `reset` is False.
    """
    started = time.monotonic()
    try:
        settings = SimulationSettings(
            n_shoppers=n_shoppers,
            max_purchases=max_purchases,
            n_stores=n_stores,
            year=year,
            seed=seed,
            stores_per_product=stores_per_product,
            box=bounding_box or WHOLE_EARTH,
        )
    except ValueError as error:
        raise SimulationError(str(error)) from error
    report = on_progress or (lambda done, total: None)
    with _replaced_on_success(export) as export_file, transaction.atomic():
        catalogue = _read_catalogue_for_simulation(reset=reset)
        world = simulate_world(
            settings,
            catalogue,
            compatible=simulated_rows.COMPATIBLE,
            on_progress=lambda done, total: report(done, 2 * total),
        )
        simulated_rows.write_world(
            world, catalogue, on_progress=lambda done, total: report(total + done, 2 * total)
        )
        if export_file:
            simulated_rows.export_purchases(export_file)
    return SimulationSummary(
        n_shoppers=n_shoppers,
        n_purchases=len(world.year.product),
        n_stores=n_stores,
        n_products=len(catalogue.product_id),
        normalized_popularity=mean_popularity_by_third(world),
        seconds=time.monotonic() - started,
    )


def _read_catalogue_for_simulation(*, reset: bool) -> Catalogue:
    """The active catalogue, once earlier simulated rows are gone; raises SimulationError."""
    _wait_for_other_simulations()
    if reset:
        reset_simulation()
    elif there := simulated_rows.count_simulated_rows():
        raise SimulationError(
            f"A simulated year is already there ({there}). "
            "Add --reset to replace it; real shoppers, purchases and stores stay."
        )
    catalogue = simulated_rows.read_active_catalogue()
    if catalogue is None:
        raise SimulationError(
            "The catalogue has no active products; "
            "import some first: manage.py import_products PATH"
        )
    return catalogue


def _wait_for_other_simulations() -> None:
    """Until this transaction ends, no other simulation or reset begins."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SIMULATION_LOCK])


@contextmanager
def _replaced_on_success(path: Path | None) -> Iterator[Path | None]:
    """A file beside `path` to write to, which becomes `path` if nothing fails.

    Raises SimulationError before anything is done when its folder does not exist.
    """
    if path is None:
        yield None
        return
    if not path.parent.is_dir() or path.is_dir():
        raise SimulationError(f"Cannot export to {path}: expected a file name in a folder.")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@transaction.atomic
def reset_simulation() -> SimulatedRows:
    """Delete simulated rows only, and return how many there were.

    A simulated shopper with real purchases becomes a real one: the purchases are never touched.
    """
    _wait_for_other_simulations()
    there = simulated_rows.count_simulated_rows()
    simulated_rows.lock_popularity(ProductPopularity.objects.all())
    Purchase.objects.filter(is_simulated=True).delete()
    with_purchases = Purchase.objects.filter(shopper__is_simulated=True).values("shopper")
    Shopper.objects.filter(pk__in=with_purchases).update(is_simulated=False)
    shoppers = Shopper.objects.filter(is_simulated=True).order_by("pk")
    # Through the ORM, so that rows of apps above this one, which it cannot name, go too.
    while batch := list(shoppers.values_list("pk", flat=True)[:SHOPPERS_PER_DELETE]):
        Shopper.objects.filter(pk__in=batch).delete()
    Store.objects.filter(is_simulated=True).delete()
    ProductPopularity.objects.filter(base_is_simulated=True).update(base=0, base_is_simulated=False)
    return there


def move_simulated_year(*, ending: datetime) -> None:
    """Let the simulated purchases end at that time, whole days later or earlier; one statement.

    For a demonstration: what rises is told by the latest purchases, and a year that ended long ago
    would be forgotten at the first real one.
    """
    simulated = Purchase.objects.filter(is_simulated=True)
    latest = simulated.aggregate(at=Max("purchased_at"))["at"]
    if latest is not None:
        days = timedelta(days=(ending - latest).days)
        simulated.update(purchased_at=F("purchased_at") + days)


@transaction.atomic
def import_purchases(
    *,
    path: Path,
    on_error: Literal["stop", "skip"] = "stop",
    on_progress: Progress | None = None,
) -> PurchaseImportReport:
    """Add real purchases from a CSV file; importing it again adds nothing.

    Shoppers that are new are created; their gender is that of all they bought, or UNISEX where
    that differs. `on_progress` gets (done, total) in bytes. Raises CsvFileError where the
    file as a whole cannot be read, BadLinesError where a line is bad and `on_error` is stop.

    Cost: one pass over the file into a temporary table, then two statements; memory does not
    grow with the file.
    """
    started = time.monotonic()
    file = PurchaseFile(path, on_progress=on_progress)
    n_rows = purchase_staging.stage(file)
    if file.bad_rows and on_error == "stop":
        raise BadLinesError(file.bad_rows)
    n_new_shoppers = purchase_staging.add_new_shoppers()
    n_added = purchase_staging.add_new_purchases()
    purchase_staging.drop()
    return PurchaseImportReport(
        n_added=n_added,
        n_already_there=n_rows - n_added,
        n_new_shoppers=n_new_shoppers,
        ignored_columns=file.ignored_columns,
        bad_rows=file.bad_rows,
        seconds=time.monotonic() - started,
    )


@transaction.atomic
def rebuild_popularity() -> int:
    """Count all purchases anew and return how many products' popularity was wrong.

    The triggers keep it right; this is for databases that were written to without them. Purchases
    wait until it is done.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE shoppers_purchase IN SHARE MODE")
        cursor.execute(
            """
            INSERT INTO shoppers_productpopularity (product_id, base, base_is_simulated, counted)
            SELECT id, 0, false,
                (SELECT count(*) FROM shoppers_purchase WHERE product_id = catalog_product.id)
            FROM catalog_product
            WHERE id NOT IN (SELECT product_id FROM shoppers_productpopularity)
            ON CONFLICT DO NOTHING
            """
        )
        n_missing = cursor.rowcount
        cursor.execute(
            """
            UPDATE shoppers_productpopularity AS p SET counted = bought.n
            FROM (
                SELECT q.product_id, count(purchase.id) AS n
                FROM shoppers_productpopularity AS q
                LEFT JOIN shoppers_purchase AS purchase ON purchase.product_id = q.product_id
                GROUP BY q.product_id
            ) AS bought
            WHERE p.product_id = bought.product_id AND p.counted <> bought.n
            """
        )
        return n_missing + cursor.rowcount
