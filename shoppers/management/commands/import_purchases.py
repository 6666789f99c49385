"""Import real purchases from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.progress import StagedProgress
from shoppers.purchase_file import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    BadRow,
    PurchaseFileError,
)
from shoppers.services import PurchaseImportError, import_purchases

BAD_LINES_SHOWN = 100
PARTLY_IMPORTED = 2  # exit status; 1 is Django's for nothing done


class Command(BaseCommand):
    """`manage.py import_purchases`."""

    help = (
        f"Import real purchases from a CSV file with the columns {', '.join(REQUIRED_COLUMNS)} "
        f"(ISO 8601; without a zone it is UTC) and, for new shoppers, optional "
        f"{', '.join(OPTIONAL_COLUMNS)}. Importing twice changes nothing. Exit status: 0 all "
        f"imported, 1 nothing, {PARTLY_IMPORTED} bad lines were left out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--on-error",
            choices=("stop", "skip"),
            default="stop",
            help="bad lines: import nothing (stop, the default) or the rest (skip)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, list bad lines, and say in one line what came of it."""
        try:
            with StagedProgress() as progress:
                report = import_purchases(
                    path=options["file"],
                    on_error=options["on_error"],
                    on_progress=progress.stage("Reading purchases"),
                )
        except PurchaseFileError as error:
            raise CommandError(str(error)) from error
        except PurchaseImportError as error:
            self._list(error.bad_rows)
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped; nothing was imported.", returncode=130) from error
        if report.ignored_columns:
            self.stderr.write(f"Ignored unknown columns: {', '.join(report.ignored_columns)}.")
        self.stdout.write(
            f"Imported {report.n_added:,} purchases and {report.n_new_shoppers:,} new shoppers in "
            f"{report.seconds:.1f} s; {report.n_already_there:,} purchases were already there."
        )
        if report.bad_rows:
            self._list(report.bad_rows)
            raise CommandError(
                f"Left out {len(report.bad_rows):,} bad lines.", returncode=PARTLY_IMPORTED
            )

    def _list(self, bad_rows: list[BadRow]) -> None:
        for bad_row in bad_rows[:BAD_LINES_SHOWN]:
            self.stderr.write(str(bad_row))
        if len(bad_rows) > BAD_LINES_SHOWN:
            self.stderr.write(f"... and {len(bad_rows) - BAD_LINES_SHOWN:,} more bad lines")
