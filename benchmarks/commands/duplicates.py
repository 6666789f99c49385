"""Near-duplicates: how many copies of real photos the search finds, and what else it shows.

Photos of a catalogue are imported as products, and so are copies of some of them: saved anew,
cropped, resized, and with another background. They are embedded, and `find_duplicates` runs as it
does in a shop. A threshold is chosen on one half of the copied photos for a wanted recall, and the
other half tells what the shipped threshold comes to. Pairs of two different photos of the catalogue
count as false, though some are one article listed twice.

Examples:
  python -m benchmarks duplicates --json benchmarks/results/duplicates.json
  python -m benchmarks duplicates --photos DIR --copied 100 --products 500
"""

import argparse
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Photos, how many of them are copied, and what sees them."""
    parser.add_argument("--photos", type=Path, help="folder; by default the shared catalogue's")
    parser.add_argument("--products", type=int, help="take so many of the photos; all by default")
    parser.add_argument("--copied", type=int, default=1_000, help="half of them choose")
    parser.add_argument("--recall", type=float, default=0.965, help="that a threshold is to give")
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--weights", type=Path, help="FASHREC_WEIGHTS_DIR of this run")
    parser.add_argument("--seed", type=int, default=42)


def home(options: argparse.Namespace) -> str:
    """One for each catalogue, kept: a second run with other thresholds only compares."""
    return f"duplicates-{options.products or 'all'}-{options.copied}-{options.seed}"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Import, embed, search; the servers are stopped at the end."""
    from benchmarks.duplicates.measure import Plan, measure
    from benchmarks.http_load.servers import embedded_servers
    from benchmarks.http_load.shop import use_weights
    from benchmarks.stages import shown_stages

    use_weights(options.weights)
    plan = Plan(
        photos=options.photos,
        n_products=options.products,
        n_copied=options.copied,
        recall=options.recall,
        backbone=options.backbone,
        seed=options.seed,
    )
    with embedded_servers(), shown_stages() as stages:
        return measure(plan, stages)
