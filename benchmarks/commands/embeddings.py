"""Embeddings: photo file to masked vector in PostgreSQL, against the public code's way.

Measured in turn, several times, in one run: the public code's way (one photo at a time, fp32,
Pillow, a mask by comparing colours), decoding alone, the network alone, and the whole. The ceiling
is 1 / (1 / decoding + 1 / network), as both share the cores. `--drill N` embeds N photos by a real
Celery worker as well, and watches its memory.

Examples:
  python -m benchmarks embeddings --backbone mobilenet_v2 --photos DIR --images 300
  python -m benchmarks embeddings --backbone resnet50 --seeded-weights --photos DIR --enlarge 750
  python -m benchmarks embeddings --backbone mobilenet_v2 --photos DIR --drill 20000

DIR is anything that `manage.py import_products` reads. FASHREC_WEIGHTS_DIR names the weights.
Everything happens in FASHREC_HOME/benchmark/embeddings, whose database is emptied first.
"""

import argparse
from pathlib import Path
from typing import Any


def home(options: argparse.Namespace) -> str:
    """A home of its own."""
    return "embeddings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to embed, and how much of it."""
    parser.add_argument("--backbone", required=True, metavar="NAME")
    parser.add_argument("--photos", required=True, type=Path, metavar="DIR")
    parser.add_argument("--images", type=int, default=256, help="at most so many; 0: all")
    parser.add_argument("--naive-images", type=int, default=16, help="for the public code's way")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument(
        "--enlarge", type=int, metavar="PIXELS", help="make the photos so wide first"
    )
    parser.add_argument(
        "--seeded-weights",
        action="store_true",
        help="random weights, for timing where there are none; the fidelity check does not apply",
    )
    parser.add_argument("--drill", type=int, default=0, metavar="N", help="photos for a worker")
    parser.add_argument("--seed", type=int, default=42)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Import, measure."""
    from benchmarks import embeddings

    return embeddings.run(
        embeddings.Request(
            backbone=options.backbone,
            photos=options.photos,
            n_images=options.images,
            n_naive=options.naive_images,
            n_repetitions=options.repetitions,
            width=options.enlarge,
            is_seeded=options.seeded_weights,
            n_drill=options.drill,
            seed=options.seed,
        )
    )
