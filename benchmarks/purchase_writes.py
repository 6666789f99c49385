"""Purchases recorded per second by four clients, beside the variant that this design avoids.

Both write the purchase and its counter in one transaction with fsync on. Ours: the row, and by
triggers the popularity and its copy beside the search vector (no index entry of a vector changes).
The variant: the row, and a popularity that is indexed in the very row whose vector is indexed, so
that PostgreSQL enters the vector anew.
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection, transaction

from benchmarks.django_setup import set_up_again
from benchmarks.filling.fill import forget_shoppers
from benchmarks.protocol.timing import N_CLIENTS
from embeddings.indexes import search_indexes
from shoppers.models import Shopper

if TYPE_CHECKING:
    from benchmarks.recommendations import Bench

N_SHOPPERS = 1_000
N_INDEXED = 100_000  # rows of the variant's table at most: it gets slower with more
N_WINDOWS = 3
OURS, VARIANT = "ours", "vector_indexed_row"

RECORD = """
INSERT INTO shoppers_purchase (shopper_id, product_id, purchased_at, is_simulated)
VALUES (%s, %s, clock_timestamp(), false)
"""
MAKE_VARIANT = """
DROP TABLE IF EXISTS benchmark_indexed, benchmark_purchase;
CREATE TABLE benchmark_purchase (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shopper_id bigint, product_id bigint,
    purchased_at timestamptz
);
CREATE TABLE benchmark_indexed WITH (fillfactor = 80) AS
    SELECT row_number() OVER () AS id, vector, popularity
    FROM (SELECT vector, popularity FROM embeddings_searchvector LIMIT {n_rows}) AS chosen;
ALTER TABLE benchmark_indexed ADD PRIMARY KEY (id);
CREATE INDEX ON benchmark_indexed (popularity);
CREATE INDEX ON benchmark_indexed
    USING hnsw ((vector::halfvec({dimension})) halfvec_cosine_ops);
"""
RECORD_VARIANT = """
INSERT INTO benchmark_purchase (shopper_id, product_id, purchased_at)
VALUES (%s, %s, clock_timestamp())
"""
COUNT_VARIANT = "UPDATE benchmark_indexed SET popularity = popularity + 1 WHERE id = %s"


def measure_purchases(bench: "Bench") -> dict[str, Any]:
    """Purchases per second of both, measured alternately, and their ratio."""
    if search_indexes(bench.backbone) is None:
        return {"not_measured": "the catalogue is too small for vector indexes"}
    first = _add_shoppers()
    n_indexed = _make_variant()
    sizes = {OURS: len(bench.data), VARIANT: n_indexed}
    rates: dict[str, list[float]] = {name: [] for name in sizes}
    seconds = bench.options.window
    context = get_context("spawn")
    with (
        bench.stages.stage("purchases", N_WINDOWS * len(sizes)) as report,
        ProcessPoolExecutor(N_CLIENTS, mp_context=context, initializer=set_up_again) as pool,
    ):
        for name, n_rows in sizes.items():
            list(pool.map(_record, *_jobs(name, first, n_rows, 0.5)))
        for window in range(N_WINDOWS):
            for name, n_rows in sizes.items():
                rates[name].append(sum(pool.map(_record, *_jobs(name, first, n_rows, seconds))))
            report(len(sizes) * (window + 1))
    _check_counted()
    forget_shoppers()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE benchmark_indexed, benchmark_purchase")
    return _figures(rates, n_indexed)


def _jobs(name: str, first: int, n_rows: int, seconds: float) -> list[list[Any]]:
    """The arguments of `_record`, one list each, for all clients."""
    same = [[value] * N_CLIENTS for value in (name, first, n_rows, seconds)]
    return [*same, list(range(N_CLIENTS))]


def _record(name: str, first: int, n_rows: int, seconds: float, client: int) -> float:
    """Purchases per second of one client; in a process of its own."""
    record: Callable[[int, int], None] = _record_ours if name == OURS else _record_variant
    rng = np.random.default_rng([client, time.time_ns()])
    started = time.perf_counter()
    n_recorded = 0
    while (elapsed := time.perf_counter() - started) < seconds:
        record(first + int(rng.integers(N_SHOPPERS)), int(rng.integers(n_rows)) + 1)
        n_recorded += 1
    return n_recorded / elapsed


def _record_ours(shopper_id: int, product_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [shopper_id, product_id])


def _record_variant(shopper_id: int, product_id: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RECORD_VARIANT, [shopper_id, product_id])
        cursor.execute(COUNT_VARIANT, [product_id])


def _add_shoppers() -> int:
    """The key of the first of N_SHOPPERS consecutive ones."""
    shoppers = Shopper.objects.bulk_create(Shopper(external_id=f"b{n}") for n in range(N_SHOPPERS))
    return shoppers[0].pk


def _make_variant() -> int:
    """The number of rows of the variant's table, whose vectors are indexed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT vector_dims(vector) FROM embeddings_searchvector LIMIT 1")
        (dimension,) = cursor.fetchone()
        cursor.execute(MAKE_VARIANT.format(n_rows=N_INDEXED, dimension=int(dimension)))
        cursor.execute("SELECT count(*) FROM benchmark_indexed")
        (n_rows,) = cursor.fetchone()
    return n_rows


def _check_counted() -> None:
    """Every purchase is counted, also beside the vector that is searched."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM shoppers_purchase),
                (SELECT sum(counted) FROM shoppers_productpopularity),
                (SELECT count(*) FROM shoppers_productpopularity p
                 JOIN embeddings_searchvector s ON s.product_id = p.product_id
                 WHERE s.popularity <> p.popularity)
            """
        )
        n_purchases, n_counted, n_different = cursor.fetchone()
    if n_purchases != n_counted or n_different:
        raise RuntimeError(
            f"{n_purchases} purchases, {n_counted} counted, "
            f"{n_different} products searched with another popularity"
        )


def _figures(rates: dict[str, list[float]], n_indexed: int) -> dict[str, Any]:
    ratios = [ours / variant for ours, variant in zip(rates[OURS], rates[VARIANT], strict=True)]
    return {
        "clients": N_CLIENTS,
        "purchases_per_second": round(float(np.median(rates[OURS])), 1),
        "purchases_per_second_min": round(min(rates[OURS]), 1),
        "purchases_per_second_max": round(max(rates[OURS]), 1),
        "vector_indexed_row_per_second": round(float(np.median(rates[VARIANT])), 1),
        "vector_indexed_rows": n_indexed,
        "ratio_to_vector_indexed_row": round(float(np.median(ratios)), 2),
    }
