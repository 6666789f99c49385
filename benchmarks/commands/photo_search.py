"""Search by photo: how soon two at a time are answered, and what a flood of photos does to reads.

The shop of `load`, with a worker for photos beside gunicorn and the generators on the same cores.
Photos are enlarged to a phone's size. Two clients ask one after another; then reads come at a fixed
rate, alone and beside a flood of clients that come back sooner than they are told, in turn.

Examples:
  python -m benchmarks photo_search --json benchmarks/results/photo-search.json
  python -m benchmarks photo_search --seconds 5 --rounds 1
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size, photos, time."""
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--photos", type=Path, help="folder; by default the shared catalogue's")
    parser.add_argument("--width", type=int, default=3_000, help="of the photos, in pixels")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each part of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=20.0, help="reads a second")
    parser.add_argument("--flood", type=int, default=8, help="clients")
    parser.add_argument("--weights", type=Path, help="FASHREC_WEIGHTS_DIR of this run")
    parser.add_argument("--seed", type=int, default=42)


def home(options: argparse.Namespace) -> str:
    """The shop that `load` fills."""
    return f"load-{options.products}"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, search; the servers are stopped at the end."""
    from benchmarks.http_load.photos import Plan
    from benchmarks.http_load.photos import run as run_photos
    from benchmarks.http_load.servers import embedded_servers
    from benchmarks.http_load.shop import use_weights
    from benchmarks.stages import shown_stages

    use_weights(options.weights)
    plan = Plan(
        n_products=options.products,
        photos=options.photos,
        width_px=options.width,
        seconds=options.seconds,
        n_rounds=options.rounds,
        rate=options.rate,
        n_flooding=options.flood,
        seed=options.seed,
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_servers(),
        shown_stages() as stages,
    ):
        return run_photos(plan, Path(folder), stages)
