"""Import products and their photos from a folder or a manifest."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.importing.report import ImportRefusedError, ImportReport
from catalog.importing.rows import CatalogImportError, Problem
from catalog.progress import StagedProgress
from catalog.services import import_catalog

MAX_LISTED = 50
EXIT_SKIPPED = 3  # everything but the bad rows was imported
EXIT_INTERRUPTED = 130  # as shells report Ctrl-C


class Command(BaseCommand):
    """`manage.py import_products PATH`."""

    help = (
        "Import products and photos from PATH: a folder with manifest.csv (item_id, image, "
        "category; optionally gender, category_group, title, color, season, year, usage, price, "
        "segmentation_map, view), DeepFashion file names, <category>/<photo>, or a flat folder. "
        "Importing again changes only what differs. "
        "Exit code: 0 all was imported, 1 nothing was, 3 all but the rows that were skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("path", type=Path, metavar="PATH", help="a folder, or a manifest.csv")
        parser.add_argument(
            "--segmentation",
            type=Path,
            metavar="DIR",
            help="segmentation maps, <name>_segm.png each; default: segm/ beside images/",
        )
        parser.add_argument(
            "--on-error",
            choices=["stop", "skip"],
            default="stop",
            help="bad rows: stop and write nothing (default), or skip them and write the rest",
        )

    def handle(self, *args: object, **options: object) -> None:
        """Import, and print what came of it."""
        try:
            with StagedProgress() as progress:
                report = import_catalog(
                    path=options["path"],
                    segmentation=options["segmentation"],
                    on_error=options["on_error"],
                    on_progress=progress,
                )
        except ImportRefusedError as error:
            self._print_warnings(error.report)
            self._print_problems(error.report.problems)
            raise CommandError(str(error)) from error
        except CatalogImportError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            message = "Interrupted; nothing was imported."
            raise CommandError(message, returncode=EXIT_INTERRUPTED) from error
        self._print_warnings(report)
        self._print_problems(report.problems)
        self._print_summary(report)
        if report.problems:
            raise CommandError(
                f"{len(report.problems):,} of {report.n_rows:,} were skipped, as listed above.",
                returncode=EXIT_SKIPPED,
            )

    def _print_warnings(self, report: ImportReport) -> None:
        for warning in report.warnings:
            self.stderr.write(self.style.WARNING(f"warning: {warning}"))

    def _print_problems(self, problems: list[Problem]) -> None:
        for problem in problems[:MAX_LISTED]:
            self.stderr.write(str(problem))
        if len(problems) > MAX_LISTED:
            self.stderr.write(f"... and {len(problems) - MAX_LISTED:,} more")

    def _print_summary(self, report: ImportReport) -> None:
        self.stdout.write(
            f"Read {report.description}.\n"
            f"Products: {report.n_products_created:,} created, "
            f"{report.n_products_updated:,} updated, {report.n_products_unchanged:,} unchanged; "
            f"{self._merged(report)}"
            f"categories: {report.n_categories_created:,} created.\n"
            f"Photos: {report.n_photos_created:,} created, {report.n_photos_replaced:,} replaced, "
            f"{report.n_photos_unchanged:,} unchanged; "
            f"segmentation maps: {report.n_maps_stored:,} stored."
        )
        if report.n_photos_created or report.n_photos_replaced or report.n_maps_stored:
            self.stdout.write("Next: manage.py embed_products")

    def _merged(self, report: ImportReport) -> str:
        n_merged = report.n_products_merged
        return f"left out, as merged into others: {n_merged:,}; " if n_merged else ""
