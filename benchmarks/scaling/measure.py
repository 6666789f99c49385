"""The growth of three commands, and batch ranking against a shopper at a time in SQL."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.database import server_facts
from benchmarks.datasets.loading import DataRequest, load_data
from benchmarks.datasets.stores import store_network
from benchmarks.filling.fill import ensure_filled, set_popularity
from benchmarks.scaling.batch_against_sql import compare
from benchmarks.scaling.processes import Usage, run_command
from benchmarks.stages import Stages
from embeddings.indexes import ensure_search_indexes
from embeddings.models import Backbone

MAX_PURCHASES = 5


def run(options: argparse.Namespace, stages: Stages) -> dict[str, Any]:
    """Fill, index, run every command at every size, compare. Returns the named figures."""
    backbone, source = _filled(options, stages)
    with stages.stage("search indexes"):
        ensure_search_indexes(backbone)
    growth: dict[str, list[dict[str, Any]]] = {name: [] for name in options.commands}
    for n_shoppers in options.shoppers:
        for name in options.commands:
            with stages.stage(f"{name} of {n_shoppers:,}"):
                usage = _measured(name, n_shoppers, backbone, options)
            growth[name].append(_figures(n_shoppers, usage))
    with stages.stage("batch against SQL"):
        batch = compare(backbone, n_asked=options.sql_shoppers, seed=options.seed)
    return {
        "data": source,
        "server": server_facts(),
        "settings": {"max_purchases": MAX_PURCHASES, "seed": options.seed},
        "growth": {name: {"sizes": rows, **_summary(rows)} for name, rows in growth.items()},
        "batch": batch,
    }


def _filled(options: argparse.Namespace, stages: Stages) -> tuple[Backbone, str]:
    cache = options.cache or Path(options.home).parent / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    data = load_data(
        DataRequest(
            options.products,
            options.data,
            options.photos,
            options.weights_dir,
            cache,
            options.dimension,
        ),
        stages,
    )
    backbone = ensure_filled(data, store_network(len(data)), stages)
    set_popularity(data, "integers", stages)
    return backbone, f"{len(data)} products, {data.name}, {data.dimension}-d"


def _measured(name: str, n_shoppers: int, backbone: Backbone, options: argparse.Namespace) -> Usage:
    with tempfile.TemporaryDirectory() as folder:
        arguments = {
            "simulate_purchases": [
                *("--reset", "--shoppers", str(n_shoppers)),
                *("--max-purchases", str(MAX_PURCHASES), "--seed", str(options.seed)),
            ],
            "recommend_all": ["--output", f"{folder}/lists.csv"],
            "evaluate": ["--backbones", backbone.name, "--output", f"{folder}/report"],
        }
        return run_command([name, *arguments[name]], Path(options.home))


def _figures(n_shoppers: int, usage: Usage) -> dict[str, Any]:
    return {
        "shoppers": n_shoppers,
        "seconds": round(usage.seconds, 2),
        "cpu_seconds": round(usage.cpu_seconds, 2),
        "shoppers_per_second": round(n_shoppers / usage.seconds, 1),
        "peak_memory_mib": round(usage.peak_memory_mib, 1),
    }


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The straight line through seconds by shoppers, and the exponent of their growth.

    1 is linear; a start that takes as long for any number of shoppers makes it smaller.
    """
    if len(rows) < 2:
        return {"growth_exponent": None, "seconds_per_1000_shoppers": None, "start_seconds": None}
    shoppers = np.array([row["shoppers"] for row in rows], dtype=np.float64)
    seconds = np.array([row["seconds"] for row in rows])
    slope, start = np.polyfit(shoppers, seconds, 1)
    exponent = np.polyfit(np.log(shoppers), np.log(seconds), 1)[0]
    return {
        "growth_exponent": round(float(exponent), 3),
        "seconds_per_1000_shoppers": round(1000 * float(slope), 4),
        "start_seconds": round(float(start), 2),
    }
