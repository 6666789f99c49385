"""Load: mixed reads over HTTP from gunicorn for ten minutes, the generator on the same cores.

A shop of synthetic products, stores, shoppers and purchases on embedded servers of its own; the
requests are those of a storefront's pages. By default they are due at a fixed rate, and one that
has to wait counts from when it was due; `--rate 0` asks again as soon as answered, which shows the
most that the machine can. Listens on 127.0.0.1 only, and ends by itself.

Examples:
  python -m benchmarks load --json benchmarks/results/load.json
  python -m benchmarks load --seconds 20 --rate 0

The first run fills and indexes the shop (50,000 products: some minutes), later ones find it in
FASHREC_HOME/benchmark/load-PRODUCTS.
"""

import argparse
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size, time and rate."""
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--warm-seconds", type=float, default=10.0, help="before anything counts")
    parser.add_argument(
        "--rate", type=float, default=42.0, help="requests a second; 0: as soon as answered"
    )
    parser.add_argument("--clients", type=int, default=16, help="connections")
    parser.add_argument("--weights", type=Path, help="FASHREC_WEIGHTS_DIR of this run")
    parser.add_argument("--seed", type=int, default=42)


def home(options: argparse.Namespace) -> str:
    """A folder for each size."""
    return f"load-{options.products}"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, load; the servers are stopped at the end."""
    from benchmarks.http_load.run import run as run_load
    from benchmarks.http_load.servers import embedded_servers
    from benchmarks.http_load.shop import use_weights
    from benchmarks.stages import shown_stages

    use_weights(options.weights)
    with embedded_servers(), shown_stages() as stages:
        return run_load(
            n_products=options.products,
            seconds=options.seconds,
            warm_seconds=options.warm_seconds,
            rate=options.rate,
            n_clients=options.clients,
            seed=options.seed,
            stages=stages,
        )
