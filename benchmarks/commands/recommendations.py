"""Recommendations: recall, latency and throughput against exact SQL, a Python loop and rivals.

Fills a database of its own with a catalogue and asks for the recommendations of shoppers with five
purchases, top five each. Recall is against the exact formula over full vectors (a numpy oracle),
with a lower 95% bound; times are measured in turn in the same run.

Data, by --products and --data:
  real            the photos' own mobilenet_v2 vectors (all 6,620 of the catalogue)
  crops           the network's outputs on augmented crops of the photos, up to 100,000
  interpolations  mixtures of crops, labelled synthetic; shoppers bought other crops
  clusters        synthetic noise around centres; what remains without photos and weights
  auto            the most real of these that has so many products

Examples:
  python -m benchmarks recommendations --products 12000 --json benchmarks/results/12k.json
  python -m benchmarks recommendations --products 1000000 --rivals faiss lancedb

The first run at a size computes vectors (two idle cores: 12,000 in 5 minutes, 100,000 in half an
hour), fills and indexes; later runs with the same data find all that. Each size has a home of its
own in FASHREC_HOME/benchmark; `manage.py stop_servers` in that home stops what a killed run left,
and deleting the folder frees the disk (a million products: some 12 GB).
"""

import argparse
from pathlib import Path
from typing import Any

PARTS = ("filters", "purchases", "churn")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Size, data, what to measure."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("--products", type=_positive, default=12_000)
    parser.add_argument(
        "--data", choices=("auto", "real", "crops", "interpolations", "clusters"), default="auto"
    )
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
    parser.add_argument("--shoppers", type=_positive, default=200, help="five rails each")
    parser.add_argument(
        "--popularity",
        nargs="+",
        choices=("continuous", "integers"),
        default=["continuous", "integers"],
        help="0 to a billion, and the simulator's 0 to 100, where many products tie",
    )
    parser.add_argument("--exact-shoppers", type=_positive, help="asked by exact SQL as well")
    parser.add_argument("--loop-shoppers", type=int, help="asked by the slow loop as well")
    parser.add_argument("--rival-shoppers", type=_positive, default=50)
    parser.add_argument(
        "--rivals",
        nargs="*",
        choices=("faiss", "lancedb"),
        default=["faiss", "lancedb"],
        help="where installed: pip install -r benchmarks/requirements-rivals.txt",
    )
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--window", type=float, default=5.0, help="seconds of each throughput")
    parser.add_argument(
        "--churn-rounds", type=_positive, default=10, help="in each, everything is replaced"
    )
    parser.add_argument(
        "--start",
        type=_sizes,
        metavar="NEIGHBOURS/TRENDING/SHORT",
        help="other first stream sizes than the service's, as 100/50/32",
    )
    parser.add_argument("--seed", type=int, default=42)


def home(options: argparse.Namespace) -> str:
    """A folder for each size, so that going back to one finds it filled and indexed."""
    return f"recommendations-{options.products}"


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Fill, index, measure; the server is stopped at the end."""
    from django.conf import settings

    from benchmarks import recommendations
    from benchmarks.stages import shown_stages
    from fashrec_site.embedded import postgres

    options.home = settings.FASHREC_HOME
    options.start = _stream_sizes(options.start)
    if options.exact_shoppers is None:
        options.exact_shoppers = _by_size(options.products, 40, 10, 3)
    if options.loop_shoppers is None:
        options.loop_shoppers = _by_size(options.products, 2, 1, 0)
    try:
        with shown_stages() as stages:
            return recommendations.run(options, stages)
    except ValueError as error:
        raise SystemExit(f"recommendations: {error}") from error
    finally:
        postgres.stop(options.home)


def _by_size(n_products: int, small: int, middle: int, large: int) -> int:
    """What a run can afford of something whose time grows with the catalogue."""
    return small if n_products <= 20_000 else middle if n_products <= 200_000 else large


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _sizes(text: str) -> tuple[int, ...]:
    numbers = tuple(_positive(part) for part in text.split("/"))
    if len(numbers) != 3:
        raise argparse.ArgumentTypeError(f"{text} is not three numbers such as 100/50/32")
    return numbers


def _stream_sizes(numbers: tuple[int, ...] | None) -> Any:
    from recommender.candidates import StreamSizes

    return numbers and StreamSizes(*numbers)
