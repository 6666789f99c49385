"""Recall after every popularity and every vector was replaced many times, with autovacuum on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from benchmarks.figures import spread_ms
from benchmarks.filling.binary_copy import copy_columns
from benchmarks.filling.fill import update_popularity
from benchmarks.protocol.oracle import ExactTop, Formula
from benchmarks.protocol.quality import judge, quality_figures
from benchmarks.protocol.questions import MAIN_WEIGHTS
from benchmarks.protocol.timing import InTurn

if TYPE_CHECKING:
    from benchmarks.recommendations import Bench

BLOCK_ROWS = 1_000
MAX_PRODUCTS = 20_000  # ten rounds of more take hours: every vector is entered into its indexes
TABLES = ("embeddings_productvector", "embeddings_searchvector", "shoppers_productpopularity")


def measure_churn(bench: "Bench") -> dict[str, Any]:
    """Recall before, after, and after a vacuum; the last round puts back what was there."""
    if len(bench.data) > MAX_PRODUCTS:
        return {"not_measured": f"only up to {MAX_PRODUCTS:,} products, as it takes hours"}
    world = bench.world(bench.options.popularity[0])
    formula = Formula(world, bench.questions)
    (exact,) = bench.exact(formula, [MAIN_WEIGHTS], "churn")
    figures = {"rounds": bench.options.churn_rounds, "before": _measured(bench, formula, exact)}
    _churn_popularity(bench, world.popularity)
    _churn_vectors(bench)
    figures |= {"vacuum": _vacuum_facts(), "after": _measured(bench, formula, exact)}
    with bench.stages.stage("vacuum"), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    figures["after_vacuum"] = _measured(bench, formula, exact)
    before, after = figures["before"]["recall_at_5"], figures["after"]["recall_at_5"]
    return figures | {"recall_lost": round(before - after, 4)}


def _measured(bench: "Bench", formula: Formula, exact: ExactTop) -> dict[str, Any]:
    path = bench.serving("index")
    in_turn = InTurn([(path, len(bench.questions))])
    in_turn.run(bench.questions, MAIN_WEIGHTS)
    rails = judge(formula, MAIN_WEIGHTS, exact, in_turn.answers[path.name])
    return quality_figures(rails) | spread_ms(in_turn.seconds[path.name])


def _churn_popularity(bench: "Bench", popularity: NDArray[np.int32]) -> None:
    rng = np.random.default_rng(9)
    rounds = bench.options.churn_rounds
    with bench.stages.stage("popularity churn", rounds) as report:
        for number in range(rounds):
            is_last = number == rounds - 1
            values = popularity if is_last else rng.permutation(popularity)
            for block in _blocks(len(values)):
                update_popularity(values, block)
            report(number + 1)


def _churn_vectors(bench: "Bench") -> None:
    """Each round gives every product another one's vector; the last its own."""
    n, rounds = len(bench.data), bench.options.churn_rounds
    rng = np.random.default_rng(10)
    with bench.stages.stage("vector churn", rounds * n) as report:
        for number in range(rounds):
            whose = np.arange(n) if number == rounds - 1 else rng.permutation(n)
            for block in _blocks(n):
                _replace_vectors(block, bench.data.vectors[whose[block]])
                report(number * n + block.stop)


@transaction.atomic
def _replace_vectors(block: slice, vectors: NDArray[np.float16]) -> None:
    keys = np.arange(block.start + 1, block.stop + 1, dtype=np.int64)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE fresh (product_id bigint, v halfvec) ON COMMIT DROP")
        copy_columns(cursor.cursor, "fresh", {"product_id": keys, "v": vectors}, len(keys))
        cursor.execute(
            "UPDATE embeddings_productvector AS p SET vector = fresh.v FROM fresh "
            "WHERE p.product_id = fresh.product_id"
        )


def _vacuum_facts() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, autovacuum_count, n_dead_tup, n_tup_upd, n_tup_hot_upd "
            "FROM pg_stat_user_tables WHERE relname = ANY(%s)",
            [list(TABLES)],
        )
        names = ("autovacuums", "dead_rows", "updates", "hot_updates")
        return {name: dict(zip(names, facts, strict=True)) for name, *facts in cursor.fetchall()}


def _blocks(n_rows: int) -> Iterator[slice]:
    for start in range(0, n_rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, n_rows))
