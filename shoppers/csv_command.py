"""What commands that import a CSV file share: options, progress, bad lines, exit status."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError

from catalog.progress import StagedProgress
from shoppers.csv_file import BadLinesError, BadRow, CsvFileError

BAD_LINES_SHOWN = 100
PARTLY_IMPORTED = 2  # exit status; 1 is Django's for nothing done
EXIT_STATUS = f"Exit status: 0 all imported, 1 nothing, {PARTLY_IMPORTED} bad lines were left out."


class ImportReport(Protocol):
    """What an import came to, which its `str` says in one line."""

    ignored_columns: tuple[str, ...]
    bad_rows: list[BadRow]


class CsvImportCommand(BaseCommand):
    """A command that imports FILE.csv; a subclass says how."""

    stage: str

    def import_file(self, **options: Any) -> ImportReport:
        """Call the service with `path`, `on_error` and `on_progress`."""
        raise NotImplementedError

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
                report = self.import_file(
                    path=options["file"],
                    on_error=options["on_error"],
                    on_progress=progress.stage(self.stage),
                )
        except CsvFileError as error:
            raise CommandError(str(error)) from error
        except BadLinesError as error:
            self._list(error.bad_rows)
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped; nothing was imported.", returncode=130) from error
        if report.ignored_columns:
            self.stderr.write(f"Ignored unknown columns: {', '.join(report.ignored_columns)}.")
        self.stdout.write(str(report))
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
