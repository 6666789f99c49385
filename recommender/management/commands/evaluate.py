"""`manage.py evaluate`: the paper's experiment and more, on whatever is in the database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.progress import StagedProgress
from recommender.evaluation.candidates import EvaluationError
from recommender.evaluation.folders import ReportFolderError
from recommender.evaluation.report import REPORT_FILE, estimate
from recommender.evaluation.services import DEFAULT_SEED, evaluate
from recommender.models import EvaluationRun
from recommender.ranking import RankingError


class Command(BaseCommand):
    """Writes evaluation.json, report.md and pictures, and says where."""

    help = (
        "Measure the recommendations for everyone who bought something: the paper's three tables, "
        "held-out purchases, visual neighbours. Writes evaluation.json, report.md and pictures."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--backbones",
            nargs="+",
            metavar="NAME",
            help="which to compare, the first in the ablation; default: all active ones that have "
            "vectors of most products",
        )
        parser.add_argument("--k", type=int, default=5, help="recommendations per purchase")
        parser.add_argument(
            "--output",
            type=Path,
            metavar="DIR",
            help="the report's folder; default: a new one in FASHREC_HOME/reports, where `latest` "
            "points at the newest",
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=DEFAULT_SEED,
            help="of the bootstrap and of what the pictures show",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate and print the first table."""
        try:
            with StagedProgress() as progress:
                run = evaluate(
                    backbones=options["backbones"],
                    k=options["k"],
                    output=options["output"],
                    seed=options["seed"],
                    on_progress=progress,
                )
        except (EvaluationError, ReportFolderError, RankingError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; no report was written.", returncode=130) from None
        self._print(run)

    def _print(self, run: EvaluationRun) -> None:
        for row in run.results["tables"]["backbones"]:
            self.stdout.write(
                f"{row['backbone']}: category similarity {estimate('category_similarity')(row)} %, "
                f"popularity MAE x 100 {estimate('popularity_mae')(row)}, "
                f"{row['n_recommendations']:,} recommendations"
            )
        for reason in run.settings["skipped_backbones"].values():
            self.stdout.write(f"Not compared: {reason}.")
        self.stdout.write(f"Report: {Path(run.report_folder) / REPORT_FILE}")
