"""Fill the shop with simulated shoppers and their purchases of a year."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.progress import StagedProgress
from shoppers.geography import BoundingBox
from shoppers.services import SimulationError, SimulationSummary, simulate_purchases


class Command(BaseCommand):
    """`manage.py simulate_purchases`."""

    help = (
        "Simulate a year of shopping over the active catalogue: stores and stock, base "
        "popularity, shoppers and purchases, all marked as simulated. Real rows stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--shoppers", type=int, default=50, help="default %(default)s")
        parser.add_argument(
            "--max-purchases", type=int, default=5, help="per shopper, default %(default)s"
        )
        parser.add_argument("--stores", type=int, default=5, help="default %(default)s")
        parser.add_argument("--year", type=int, default=2025, help="default %(default)s")
        parser.add_argument(
            "--seed", type=int, default=42, help="same seed, same purchases; default %(default)s"
        )
        parser.add_argument("--stores-per-product", type=int, default=1, help="default %(default)s")
        parser.add_argument(
            "--bounding-box",
            type=_bounding_box,
            metavar="SOUTH,WEST,NORTH,EAST",
            help="where stores and shoppers are, in degrees (default: anywhere on Earth); "
            "write --bounding-box=-35,... when it begins with a minus",
        )
        parser.add_argument(
            "--export", type=Path, metavar="FILE", help="write the purchases as CSV, too"
        )
        parser.add_argument(
            "--reset", action="store_true", help="first delete what was simulated before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Simulate, and say in one line what came of it."""
        try:
            with StagedProgress() as progress:
                summary = simulate_purchases(
                    n_shoppers=options["shoppers"],
                    max_purchases=options["max_purchases"],
                    n_stores=options["stores"],
                    year=options["year"],
                    seed=options["seed"],
                    stores_per_product=options["stores_per_product"],
                    reset=options["reset"],
                    bounding_box=options["bounding_box"],
                    export=options["export"],
                    on_progress=progress.stage("Simulating"),
                )
        except SimulationError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Cannot export to {options['export']}: {error}.") from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped; nothing was changed.", returncode=130) from error
        self.stdout.write(_sentence(summary))


def _bounding_box(text: str) -> BoundingBox:
    try:
        return BoundingBox.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def _sentence(summary: SimulationSummary) -> str:
    thirds = zip(("low", "middle", "high"), summary.normalized_popularity, strict=True)
    means = ", ".join(
        f"{name} {mean:.3f}" if mean is not None else f"{name} -" for name, mean in thirds
    )
    return (
        f"Simulated {summary.n_shoppers:,} shoppers, {summary.n_purchases:,} purchases of "
        f"{summary.n_products:,} products and {summary.n_stores:,} stores in "
        f"{summary.seconds:.1f} s. Mean NormPop by trendiness third: {means}."
    )
