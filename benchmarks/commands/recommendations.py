"""Recommendations: index path and exact SQL against a per-candidate loop."""

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size, seed and how many shoppers are asked for."""
    parser.add_argument("--products", type=int, default=12_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--shoppers", type=int, default=40)
    parser.add_argument("--loop-shoppers", type=int, default=3, help="for the slow loop")
    parser.add_argument("--seed", type=int, default=42)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, index, measure."""
    from benchmarks import recommendations

    return recommendations.run(
        n_products=options.products,
        dimension=options.dimension,
        n_shoppers=options.shoppers,
        n_loop_shoppers=options.loop_shoppers,
        seed=options.seed,
    )
