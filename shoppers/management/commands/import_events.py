"""Import events of the past from a CSV file."""

from typing import Any

from shoppers.csv_command import EXIT_STATUS, CsvImportCommand
from shoppers.event_file import EventFile
from shoppers.event_import import EventImportReport, import_events
from shoppers.models import Event


class Command(CsvImportCommand):
    """`manage.py import_events`."""

    help = (
        f"Import events from a CSV file with the columns {', '.join(EventFile.required_columns)} "
        f"(ISO 8601; without a zone it is UTC) and {', '.join(EventFile.optional_columns)}: each "
        f"line is of a shopper or of a session. Kinds: {', '.join(Event.Kind.values)}. A purchase "
        "counts and a return takes one back. Importing twice changes nothing: a line that repeats "
        f"its key (without one, its content) is there already. {EXIT_STATUS}"
    )
    stage = "Reading events"

    def import_file(self, **options: Any) -> EventImportReport:
        """Import them."""
        return import_events(**options)
