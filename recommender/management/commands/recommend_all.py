"""`manage.py recommend_all --output FILE.csv`: everyone's list, for mails and home pages."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.progress import StagedProgress
from recommender.nightly.export import OutputError
from recommender.nightly.services import SHOPPERS_PER_BATCH, recommend_all
from recommender.ranking import RankingError, RankingSettings, backbone_named, default_profile


class Command(BaseCommand):
    """Writes the CSV file and says how long it took."""

    help = (
        "Write every shopper's recommendations to a CSV file: the purchases' rails merged, exact, "
        "with their terms and the purchase that each is because of. An earlier file is replaced "
        "only once the new one is complete."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--output", type=Path, required=True, metavar="FILE.csv")
        parser.add_argument(
            "--length", type=int, default=20, help="of a shopper's list, default %(default)s"
        )
        parser.add_argument("--k", type=int, help="recommendations per purchase (1 to 100)")
        parser.add_argument("--backbone", metavar="NAME", help="whose vectors to compare")
        parser.add_argument(
            "--shoppers-per-batch",
            type=int,
            default=SHOPPERS_PER_BATCH,
            help="ranked at a time: fewer take less memory and more time; default %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rank and write."""
        name = options["backbone"]
        try:
            settings = RankingSettings.from_profile(default_profile()).with_changes(
                k=options["k"], backbone=backbone_named(name) if name else None
            )
            with StagedProgress() as progress:
                summary = recommend_all(
                    settings=settings,
                    output=options["output"],
                    length=options["length"],
                    shoppers_per_batch=options["shoppers_per_batch"],
                    on_progress=progress.stage("Recommending"),
                )
        except (RankingError, OutputError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; no file was written.", returncode=130) from None
        self.stdout.write(
            f"{summary.n_recommendations:,} recommendations for {summary.n_shoppers:,} shoppers "
            f"in {summary.seconds:.1f} s: {options['output']}"
        )
