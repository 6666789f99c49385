"""CSV files that are imported line by line: one header line, UTF-8, columns in any order."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Generic, TypeVar

LONGEST_NAME = 200  # characters, as the columns of shoppers and item ids
ROWS_PER_REPORT = 10_000

Row = TypeVar("Row")


class CsvFileError(Exception):
    """The file as a whole cannot be read; the message says what was expected."""


@dataclass(frozen=True)
class BadRow:
    """A line that cannot be imported, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class BadLinesError(Exception):
    """Nothing was imported; `bad_rows` says why, line by line."""

    def __init__(self, bad_rows: list[BadRow]) -> None:
        super().__init__(
            f"Nothing was imported because of {len(bad_rows):,} bad lines; "
            "correct them, or leave them out with --on-error skip."
        )
        self.bad_rows = bad_rows


class CsvFile(ABC, Generic[Row]):
    """The rows of a file.

    Iterate once; lines that cannot be read collect in `bad_rows`, to which the reader may add.
    Raises CsvFileError for a file that is missing, not UTF-8 or without a needed column.
    """

    required_columns: Sequence[str]
    optional_columns: Sequence[str]

    def __init__(self, path: Path, on_progress: Callable[[int, int], None] | None = None) -> None:
        self.path = path
        self.bad_rows: list[BadRow] = []
        self.ignored_columns: tuple[str, ...] = ()
        self._on_progress = on_progress

    @abstractmethod
    def parse(self, line: int, cells: dict[str, str]) -> Row:
        """The row of a line's stripped cells by column; raises ValueError with the reason."""

    def __iter__(self) -> Iterator[Row]:
        try:
            with self.path.open("rb") as binary:
                n_bytes = self.path.stat().st_size
                lines = csv.reader(TextIOWrapper(binary, encoding="utf-8-sig", newline=""))
                columns = self._read_header(lines)
                for n_rows, (line, cells) in enumerate(self._read_cells(lines, len(columns)), 1):
                    try:
                        yield self.parse(line, dict(zip(columns, cells, strict=True)))
                    except ValueError as error:
                        self.bad_rows.append(BadRow(line, str(error)))
                    if self._on_progress and n_rows % ROWS_PER_REPORT == 0:
                        self._on_progress(binary.tell(), n_bytes)
        except OSError as error:
            raise CsvFileError(f"Cannot read {self.path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise CsvFileError(
                f"{self.path} is not UTF-8 text ({error.reason} after line {lines.line_num}); "
                "save it as UTF-8."
            ) from error

    def _read_header(self, lines: Iterator[list[str]]) -> list[str]:
        columns = [column.strip() for column in next(lines, [])]
        missing = [column for column in self.required_columns if column not in columns]
        if missing:
            raise CsvFileError(
                f"{self.path} has no column {', '.join(missing)}: expected the header "
                f"{','.join(self.required_columns)}, not {','.join(columns) or 'an empty file'!r}."
            )
        if len(set(columns)) < len(columns):
            raise CsvFileError(f"{self.path} names a column twice: {','.join(columns)}.")
        known = {*self.required_columns, *self.optional_columns}
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


def parse_name(column: str, cell: str, *, longest: int = LONGEST_NAME) -> str:
    """A name that is not empty and fits its column; raises ValueError."""
    if not cell:
        raise ValueError(f"{column} is empty")
    if len(cell) > longest or "\0" in cell:
        raise ValueError(f"{column} is longer than {longest} characters or has a NUL")
    return cell


def parse_timestamp(cell: str) -> datetime:
    """An instant in UTC, which a time without a zone is taken for; raises ValueError."""
    try:
        instant = datetime.fromisoformat(cell)
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"timestamp {cell[:40]!r} is not ISO 8601, such as 2025-03-01T12:30:00Z"
        ) from error
