"""`python -m benchmarks NAME`: timings as ratios between things measured in turn in one run.

Each benchmark works in a home of its own (FASHREC_HOME/benchmark) and never in a user's catalogue.
"""

import argparse
import os
from pathlib import Path

from fashrec_site.home import fashrec_home


def main() -> None:
    """Parse the command line, set up Django in the benchmark's own home, run, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    recommendations = commands.add_parser(
        "recommendations", help="index path and exact SQL against a per-candidate loop"
    )
    recommendations.add_argument("--products", type=int, default=12_000)
    recommendations.add_argument("--dimension", type=int, default=512)
    recommendations.add_argument("--shoppers", type=int, default=40)
    recommendations.add_argument("--loop-shoppers", type=int, default=3, help="for the slow loop")
    recommendations.add_argument("--seed", type=int, default=42)
    recommendations.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()

    os.environ["FASHREC_HOME"] = str(fashrec_home() / "benchmark")
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashrec_site.settings")
    import django

    django.setup()
    from benchmarks import recommendations as benchmark
    from benchmarks.figures import report

    figures = benchmark.run(
        n_products=options.products,
        dimension=options.dimension,
        n_shoppers=options.shoppers,
        n_loop_shoppers=options.loop_shoppers,
        seed=options.seed,
    )
    report(options.name, figures, options.json)


if __name__ == "__main__":
    main()
