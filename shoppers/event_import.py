"""Bringing in events of the past from a file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.db import transaction

from shoppers import event_staging
from shoppers.csv_file import BadLinesError, BadRow
from shoppers.event_file import EventFile


@dataclass(frozen=True)
class EventImportReport:
    """What an import wrote, and the lines that it left out."""

    n_added: int
    n_already_there: int
    n_new_shoppers: int
    ignored_columns: tuple[str, ...]
    bad_rows: list[BadRow]
    seconds: float

    def __str__(self) -> str:
        return (
            f"Imported {self.n_added:,} events and {self.n_new_shoppers:,} new shoppers in "
            f"{self.seconds:.1f} s; {self.n_already_there:,} events were already there."
        )


@transaction.atomic
def import_events(
    *,
    path: Path,
    on_error: Literal["stop", "skip"] = "stop",
    on_progress: Callable[[int, int], None] | None = None,
) -> EventImportReport:
    """Add events from a CSV file, with the purchases that they make; again, it adds nothing.

    `on_progress` gets (done, total) in bytes. Raises CsvFileError where the file as a whole cannot
    be read, BadLinesError where a line is bad and `on_error` is stop.

    Cost: one pass over the file into a temporary table, then some dozen statements; memory does
    not grow with the file. Calls of the same shoppers wait until it is done.
    """
    started = time.monotonic()
    file = EventFile(path, on_progress=on_progress)
    event_staging.stage(file)
    _stop_or_skip(file, on_error)
    n_new_shoppers = event_staging.add_owners()
    bad, n_already_there = event_staging.drop_repeated()
    file.bad_rows += bad
    file.bad_rows += event_staging.move_purchases()
    _stop_or_skip(file, on_error)
    n_added = event_staging.add_events()
    return EventImportReport(
        n_added=n_added,
        n_already_there=n_already_there,
        n_new_shoppers=n_new_shoppers,
        ignored_columns=file.ignored_columns,
        bad_rows=sorted(file.bad_rows, key=lambda row: row.line),
        seconds=time.monotonic() - started,
    )


def _stop_or_skip(file: EventFile, on_error: str) -> None:
    if file.bad_rows and on_error == "stop":
        raise BadLinesError(sorted(file.bad_rows, key=lambda row: row.line))
