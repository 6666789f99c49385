"""Embedding writes: COPY and one upsert against an INSERT of text, by batch size.

Both write the same rows in turn, in the pipeline's two steps: claimed without a vector, then
finished with one.
"""

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sizes and seed."""
    parser.add_argument("--dimension", type=int, default=2048)
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 64, 1024], metavar="ROWS")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--seed", type=int, default=42)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, measure."""
    from benchmarks import embedding_writes

    return embedding_writes.run(
        dimension=options.dimension,
        batch_sizes=options.batches,
        n_repetitions=options.repetitions,
        seed=options.seed,
    )
