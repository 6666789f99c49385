"""Import real purchases from a CSV file."""

from typing import Any

from shoppers.csv_command import EXIT_STATUS, CsvImportCommand
from shoppers.purchase_file import PurchaseFile
from shoppers.services import PurchaseImportReport, import_purchases


class Command(CsvImportCommand):
    """`manage.py import_purchases`."""

    help = (
        f"Import real purchases from a CSV file with the columns "
        f"{', '.join(PurchaseFile.required_columns)} (ISO 8601; without a zone it is UTC) and, for "
        f"new shoppers, optional {', '.join(PurchaseFile.optional_columns)}. Importing twice "
        f"changes nothing. {EXIT_STATUS}"
    )
    stage = "Reading purchases"

    def import_file(self, **options: Any) -> PurchaseImportReport:
        """Import them."""
        return import_purchases(**options)
