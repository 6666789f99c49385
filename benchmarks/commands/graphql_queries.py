"""GraphQL: catalogue queries of every kind, and how soon abusive ones are refused.

The whole request inside one process: view, limits, SQL, JSON. Queries are asked in turn, with
other words, colours, places and products each time.
"""

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size, seed and repetitions."""
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--purchases", type=int, default=200_000)
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--seed", type=int, default=42)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, ask, measure."""
    from benchmarks import graphql_queries

    return graphql_queries.run(
        n_products=options.products,
        n_purchases=options.purchases,
        n_repetitions=options.repetitions,
        seed=options.seed,
    )
