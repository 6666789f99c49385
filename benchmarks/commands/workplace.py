"""Workplace: queries and server time of every list page of the admin, and of its own pages.

The admin's registry is walked: each list's first and last page, a search that finds something and
one that does not, each filter's first and last value, and the order by each column. Statements are
counted in this process, through the real middleware; times are those of gunicorn on 127.0.0.1,
asked by one person over one connection.

Examples:
  python -m benchmarks workplace --json benchmarks/results/workplace.json
  python -m benchmarks workplace --only catalog.product --repetitions 50

The first run fills the shop (500,000 purchases: about two minutes), later ones find it in
FASHREC_HOME/benchmark/workplace-PRODUCTS.
"""

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size, how often, and which lists."""
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--purchases", type=int, default=500_000)
    parser.add_argument("--repetitions", type=int, default=20, help="of each page, after two more")
    parser.add_argument("--only", default="", help="lists whose name begins so: catalog.product")
    parser.add_argument("--seed", type=int, default=42)


def home(options: argparse.Namespace) -> str:
    """A folder for each size."""
    return f"workplace-{options.products}"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, walk, ask; the servers are stopped at the end."""
    from benchmarks.http_load.servers import embedded_servers
    from benchmarks.stages import shown_stages
    from benchmarks.workplace.run import run as run_workplace

    with embedded_servers(), shown_stages() as stages:
        return run_workplace(
            n_products=options.products,
            n_purchases=options.purchases,
            n_repetitions=options.repetitions,
            only=options.only,
            seed=options.seed,
            stages=stages,
        )
