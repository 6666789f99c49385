"""Celery workers: two processes against one on the same photos, in turn.

`shared_cores`: worker processes as an operator starts them, each free to use every core.
`own_core`: each process bound to a core of its own, as two machines would be.
"""

import argparse
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which photos, how many, by which backbone."""
    parser.add_argument("--photos", type=Path, help="folder; by default the shared catalogue's")
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--weights", type=Path, help="FASHREC_WEIGHTS_DIR of this run")
    parser.add_argument("--rounds", type=int, default=2, help="each measures all four")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Load the photos, start the workers, measure."""
    from benchmarks import workers

    return workers.run(
        photos=options.photos,
        n_images=options.images,
        backbone_name=options.backbone,
        weights=options.weights,
        n_rounds=options.rounds,
    )
