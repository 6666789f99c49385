"""GraphQL layer: what view, parsing, validation and serialisation add to the service call.

The same shoppers are asked for in turn: `recommender.services.recommend` called directly, the
GraphQL view, and the whole request with its middleware, session and user. Beside them the floor:
graphql-core alone, which resolves the same document over an answer that is ready. All warm, in one
process, with a pool as under gunicorn.
"""

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size, seed and how often."""
    parser.add_argument("--products", type=int, default=12_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--shoppers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=42)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, measure."""
    from benchmarks import graphql_layer

    return graphql_layer.run(
        n_products=options.products,
        dimension=options.dimension,
        n_shoppers=options.shoppers,
        seed=options.seed,
    )
