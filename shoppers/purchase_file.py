"""The CSV format of purchases: who bought what when, one purchase per line."""

from dataclasses import dataclass
from datetime import datetime

from catalog.models import Gender
from shoppers.csv_file import CsvFile, parse_name, parse_timestamp


@dataclass(frozen=True)
class PurchaseRow:
    """A purchase: `timestamp` knows its zone, the last four describe a new shopper."""

    line: int
    shopper: str
    item_id: str
    timestamp: datetime
    gender: str | None
    trendiness: float | None
    latitude: float | None
    longitude: float | None


class PurchaseFile(CsvFile[PurchaseRow]):
    """Purchases read from a CSV file."""

    required_columns = ("shopper", "item_id", "timestamp")
    optional_columns = ("gender", "trendiness", "latitude", "longitude")

    def parse(self, line: int, cells: dict[str, str]) -> PurchaseRow:
        """The purchase of one line."""
        return PurchaseRow(
            line=line,
            shopper=parse_name("shopper", cells["shopper"]),
            item_id=parse_name("item_id", cells["item_id"]),
            timestamp=parse_timestamp(cells["timestamp"]),
            gender=_parse_gender(cells.get("gender", "")),
            trendiness=_parse_number(cells, "trendiness", 0, 1),
            **_parse_location(cells),
        )


def _parse_gender(cell: str) -> str | None:
    if cell and cell.upper() not in Gender.values:
        raise ValueError(f"gender {cell[:40]!r} is none of {', '.join(Gender.values)}")
    return cell.upper() or None


def _parse_number(cells: dict[str, str], column: str, low: float, high: float) -> float | None:
    cell = cells.get(column, "")
    if not cell:
        return None
    try:
        number = float(cell)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ValueError(f"{column} {cell[:40]!r} is not a number from {low} to {high}")
    return number


def _parse_location(cells: dict[str, str]) -> dict[str, float | None]:
    latitude = _parse_number(cells, "latitude", -90, 90)
    longitude = _parse_number(cells, "longitude", -180, 180)
    if (latitude is None) != (longitude is None):
        raise ValueError("latitude and longitude belong together; give both or neither")
    return {"latitude": latitude, "longitude": longitude}
