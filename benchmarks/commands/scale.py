"""Scale: simulating, nightly lists and evaluation for ever more shoppers, and batch against SQL.

Each size runs the commands that a user runs (simulate_purchases, recommend_all, evaluate) in
processes of their own; the figures are seconds, shoppers per second and peak memory of the process
(PostgreSQL's memory is its own setting and not counted). Then all shoppers of the last size are
ranked in batch and some of them one by one in SQL, in turn, three times.

Data as in `recommendations --help`: 6,620 products are the real photos' own vectors.

Examples:
  python -m benchmarks scale --json benchmarks/results/scale-12000.json
  python -m benchmarks scale --products 6620 --data real --shoppers 12500 25000 50000 100000
  python -m benchmarks scale --products 100000 --shoppers 100000 300000 1000000 --without evaluate

The defaults take some three minutes. With --json a plot is drawn beside the file, as SVG.
"""

import argparse
from pathlib import Path
from typing import Any

COMMANDS = ("simulate_purchases", "recommend_all", "evaluate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sizes, data, what to leave out."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("--products", type=_positive, default=12_000)
    parser.add_argument(
        "--shoppers", type=_positive, nargs="+", default=[2_000, 4_000, 8_000, 16_000]
    )
    parser.add_argument(
        "--data",
        choices=("auto", "real", "crops", "interpolations", "clusters"),
        default="clusters",
    )
    parser.add_argument("--dimension", type=_positive, default=512, help="of clusters")
    parser.add_argument(
        "--photos", type=Path, default=shared / "catalog", help="a folder with manifest.csv"
    )
    parser.add_argument(
        "--weights-dir",
        type=Path,
        default=shared / "weights",
        help="a folder with mobilenet_v2.safetensors",
    )
    parser.add_argument("--cache", type=Path, help="where computed vectors are kept")
    parser.add_argument(
        "--sql-shoppers", type=_positive, default=30, help="asked one by one in each of the turns"
    )
    parser.add_argument("--without", nargs="*", choices=COMMANDS[1:], default=[])
    parser.add_argument("--seed", type=int, default=42)


def home(options: argparse.Namespace) -> str:
    """A folder for each size, so that going back to one finds it filled and indexed."""
    return f"scale-{options.products}"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, measure, plot; the server is stopped at the end."""
    from django.conf import settings

    from benchmarks.scaling import measure, plot
    from benchmarks.stages import shown_stages
    from fashrec_site.embedded import postgres

    options.home = settings.FASHREC_HOME
    options.commands = [name for name in COMMANDS if name not in options.without]
    options.shoppers = sorted(set(options.shoppers))
    try:
        with shown_stages() as stages:
            figures = measure.run(options, stages)
    except ValueError as error:
        raise SystemExit(f"scale: {error}") from error
    finally:
        postgres.stop(options.home)
    if options.json:
        plot.draw(figures, options.json.with_suffix(".svg"))
    return figures


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number
