"""`python -m benchmarks.draw FILE.json ... --to FILE.svg`: the figures of several sizes, drawn."""

import argparse
from pathlib import Path

from benchmarks.plots import draw_recommendations, read_figures


def main() -> None:
    """Read what `python -m benchmarks recommendations --json` wrote, and draw it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.draw", description=__doc__)
    parser.add_argument("figures", type=Path, nargs="+", help="JSON files, one for each size")
    parser.add_argument("--to", type=Path, default=Path("docs/images/recommendations.svg"))
    options = parser.parse_args()
    try:
        draw_recommendations(read_figures(options.figures), options.to)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f"Drawn: {options.to}")


if __name__ == "__main__":
    main()
