"""The load test: mixed reads over HTTP for minutes, the generator beside the server."""

from dataclasses import replace
from random import Random
from typing import Any

from benchmarks.database import server_facts
from benchmarks.http_load.generator import Spec
from benchmarks.http_load.processes import generate, web_server
from benchmarks.http_load.reads import draw_reads
from benchmarks.http_load.shop import ensure_shop, new_key
from benchmarks.http_load.summary import by_kind, summary
from benchmarks.stages import Stages

N_DRAWN = 5_000  # different requests, repeated in their order
BARS = {"requests_per_second": 40.0, "p99_ms": 300.0, "n_server_errors": 0}


def run(
    *,
    n_products: int,
    seconds: float,
    warm_seconds: float,
    rate: float,
    n_clients: int,
    seed: int,
    stages: Stages,
) -> dict[str, Any]:
    """Fill, warm up, load. Returns the named figures."""
    shop = ensure_shop(n_products, seed, stages)
    requests = draw_reads(N_DRAWN, n_products, shop["n_shoppers"], new_key(), Random(seed))
    with web_server() as server:
        load = Spec(server.port, requests, seconds, n_clients, rate)
        if warm_seconds:
            with stages.stage("Warming up"):
                generate(replace(load, requests=requests[::-1], seconds=warm_seconds))
        before = server.processor_seconds()
        with stages.stage("Loading"):
            (answers,) = generate(load)
        used = {name: s - before[name] for name, s in server.processor_seconds().items()}
    figures = summary(answers, seconds)
    return {
        "data": f"{n_products} synthetic products; vectors are random clusters",
        "settings": {
            **shop,
            "seconds": seconds,
            "warm_seconds": warm_seconds,
            "rate": rate or "as soon as answered",
            "n_clients": n_clients,
        },
        "server": server_facts(),
        "reads": figures,
        "processor_ms_per_request": {
            name: round(1000 * value / max(1, len(answers)), 2) for name, value in used.items()
        },
        "bars": _bars(figures),
        "by_kind": by_kind(answers),
    }


def _bars(figures: dict[str, Any]) -> dict[str, bool]:
    """Which bars the figures reach."""
    return {
        f"requests_per_second >= {BARS['requests_per_second']:g}": figures["requests_per_second"]
        >= BARS["requests_per_second"],
        f"p99_ms <= {BARS['p99_ms']:g}": figures["p99_ms"] <= BARS["p99_ms"],
        "no server error": figures["n_server_errors"] == BARS["n_server_errors"]
        and "0" not in figures["statuses"],
    }
