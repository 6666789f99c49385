"""The CSV format of purchases: who bought what when, one purchase per line."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from catalog.models import Gender

REQUIRED_COLUMNS = ("shopper", "item_id", "timestamp")
OPTIONAL_COLUMNS = ("gender", "trendiness", "latitude", "longitude")
LONGEST_SHOPPER = 200  # characters, as the column
ROWS_PER_REPORT = 10_000


class PurchaseFileError(Exception):
    """The file as a whole cannot be read; the message says what was expected."""


@dataclass(frozen=True)
class BadRow:
    """A line that cannot be imported, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True)
class PurchaseRow:
    """A line that can be: `timestamp` knows its zone, the last four describe a new shopper."""

    line: int
    shopper: str
    item_id: str
    timestamp: datetime
    gender: str | None
    trendiness: float | None
    latitude: float | None
    longitude: float | None


class PurchaseFile:
    """Purchases read from a CSV file with a header line, UTF-8, in any order of columns.

    Iterate once; lines that cannot be read collect in `bad_rows`, to which the reader may add.
    Raises PurchaseFileError for a file that is missing, not UTF-8 or without a needed column.
    """

    def __init__(self, path: Path, on_progress: Callable[[int, int], None] | None = None) -> None:
        self.path = path
        self.bad_rows: list[BadRow] = []
        self.ignored_columns: tuple[str, ...] = ()
        self._on_progress = on_progress

    def __iter__(self) -> Iterator[PurchaseRow]:
        try:
            with self.path.open("rb") as binary:
                n_bytes = self.path.stat().st_size
                lines = csv.reader(TextIOWrapper(binary, encoding="utf-8-sig", newline=""))
                columns = self._read_header(lines)
                for n_rows, (line, cells) in enumerate(self._read_cells(lines, len(columns)), 1):
                    row = self._parse(line, dict(zip(columns, cells, strict=True)))
                    if row:
                        yield row
                    if self._on_progress and n_rows % ROWS_PER_REPORT == 0:
                        self._on_progress(binary.tell(), n_bytes)
        except OSError as error:
            raise PurchaseFileError(f"Cannot read {self.path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise PurchaseFileError(
                f"{self.path} is not UTF-8 text ({error.reason} after line {lines.line_num}); "
                "save it as UTF-8."
            ) from error

    def _read_header(self, lines: Iterator[list[str]]) -> list[str]:
        columns = [column.strip() for column in next(lines, [])]
        missing = [column for column in REQUIRED_COLUMNS if column not in columns]
        if missing:
            raise PurchaseFileError(
                f"{self.path} has no column {', '.join(missing)}: expected the header "
                f"{','.join(REQUIRED_COLUMNS)}, not {','.join(columns) or 'an empty file'!r}."
            )
        if len(set(columns)) < len(columns):
            raise PurchaseFileError(f"{self.path} names a column twice: {','.join(columns)}.")
        known = {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}
        self.ignored_columns = tuple(column for column in columns if column not in known)
        return columns

    def _read_cells(
        self, lines: Iterator[list[str]], n_columns: int
    ) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells of each line that has as many as there are columns."""
        while True:
            try:
                cells = next(lines, None)
            except csv.Error as error:  # such as a cell of more than 131,072 characters
                self.bad_rows.append(BadRow(lines.line_num, f"not CSV: {error}"))
                continue
            if cells is None:
                return
            if len(cells) == n_columns:
                yield lines.line_num, [cell.strip() for cell in cells]
            elif cells:  # an empty line is none
                reason = f"{len(cells)} cells, expected {n_columns}"
                self.bad_rows.append(BadRow(lines.line_num, reason))

    def _parse(self, line: int, cells: dict[str, str]) -> PurchaseRow | None:
        try:
            return PurchaseRow(
                line=line,
                shopper=_parse_name("shopper", cells["shopper"]),
                item_id=_parse_name("item_id", cells["item_id"]),
                timestamp=_parse_timestamp(cells["timestamp"]),
                gender=_parse_gender(cells.get("gender", "")),
                trendiness=_parse_number(cells, "trendiness", 0, 1),
                **_parse_location(cells),
            )
        except ValueError as error:
            self.bad_rows.append(BadRow(line, str(error)))
            return None


def _parse_name(column: str, cell: str) -> str:
    if not cell:
        raise ValueError(f"{column} is empty")
    if len(cell) > LONGEST_SHOPPER or "\0" in cell:
        raise ValueError(f"{column} is longer than {LONGEST_SHOPPER} characters or has a NUL")
    return cell


def _parse_timestamp(cell: str) -> datetime:
    try:
        instant = datetime.fromisoformat(cell)
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"timestamp {cell[:40]!r} is not ISO 8601, such as 2025-03-01T12:30:00Z"
        ) from error


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
