"""`manage.py evaluate_backbone`: retrieval figures of one backbone, on a folder or the database."""

import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.progress import StagedProgress
from embeddings.nets.errors import WeightsUnavailable
from embeddings.photo_sets import PhotoSetError
from embeddings.querysets import FOUND_METHODS
from recommender.backbone_evaluation.photos import database_photos, folder_photos
from recommender.backbone_evaluation.report import REPORT_FILE
from recommender.backbone_evaluation.services import (
    REFERENCE,
    BackboneEvaluationError,
    BackboneReport,
    evaluate_backbone,
)
from recommender.evaluation.folders import RESULTS_FILE, ReportFolderError
from recommender.evaluation.report import estimate


class Command(BaseCommand):
    """Writes figures, a page and pictures, and says where."""

    help = (
        "Measure a backbone like a retrieval paper: recall, mAP, NDCG and precision by category, "
        "group, colour and gender, with intervals, a map and the failures."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("name", metavar="NAME", help="of the backbone, such as mobilenet_v2")
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="DIR",
            help="a folder with a manifest.csv or DeepFashion's names, nothing is imported; "
            "default: the database's products on sale",
        )
        parser.add_argument(
            "--queries",
            type=Path,
            metavar="DIR",
            help="phone photos that search in --photos as well, by the committed label map",
        )
        parser.add_argument(
            "--masks",
            nargs="+",
            default=[],
            choices=[str(method) for method in FOUND_METHODS],
            help="ways to find garments, measured beside the segmentation maps and whole photos",
        )
        parser.add_argument(
            "--json", type=Path, metavar="FILE", help="write the figures to this file as well"
        )
        parser.add_argument(
            "--output",
            type=Path,
            metavar="DIR",
            help="the report's folder; default: a new one in FASHREC_HOME/reports/backbones",
        )
        parser.add_argument(
            "--runtime", default=REFERENCE, help=f"what runs the network; default: {REFERENCE}"
        )
        parser.add_argument(
            "--seed", type=int, default=42, help="of the bootstrap and of what the pictures show"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate and print the first rows."""
        try:
            collection = (
                folder_photos(options["photos"]) if options["photos"] else database_photos()
            )
            asked = folder_photos(options["queries"]) if options["queries"] else None
            with StagedProgress() as progress:
                report = evaluate_backbone(
                    options["name"],
                    collection,
                    asked=asked,
                    masks=options["masks"],
                    runtime=options["runtime"],
                    output=options["output"],
                    seed=options["seed"],
                    on_progress=progress,
                )
            self._print(report, options["json"])
        except (PhotoSetError, BackboneEvaluationError, WeightsUnavailable) as error:
            raise CommandError(str(error)) from error
        except (ReportFolderError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped; no report was written. What was embedded as a whole is kept.",
                returncode=130,
            ) from None

    def _print(self, report: BackboneReport, json_file: Path | None) -> None:
        rows = report.results["rows"] + report.results["search"]
        first = rows[0]["variant"]
        for row in rows:
            if row["variant"] == first or row in report.results["search"]:
                self.stdout.write(
                    f"{row['variant']}; {row['gallery']}; same {row['label']}: precision@5 "
                    f"{estimate('precision_at_5', 3)(row)}, macro "
                    f"{estimate('macro_precision_at_5', 3)(row)}, "
                    f"mAP {estimate('average_precision', 3)(row)}, {row['n_queries']:,} queries"
                )
        if json_file is not None:
            shutil.copyfile(report.folder / RESULTS_FILE, json_file)
            self.stdout.write(f"Figures: {json_file}")
        self.stdout.write(f"Report: {report.folder / REPORT_FILE}")
