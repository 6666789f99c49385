"""What a reader makes of its source: rows that look right, and problems of those that do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from reprlib import Repr

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60


class CatalogImportError(Exception):
    """Nothing was imported; the message says why in one line."""


class UnusableSourceError(CatalogImportError):
    """The path does not hold what an import needs."""


@dataclass(frozen=True, order=True)
class Problem:
    """Why one line of a manifest, or one file, cannot be imported."""

    line: int  # 0 where the source has no lines
    file: str
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else f"file {printable(self.file)}"
        return f"{place}: {self.reason}"


@dataclass(frozen=True)
class ImportRow:
    """One photo of one product, as its source describes it.

    `product` holds the product's fields that the source speaks of, None where it leaves one empty;
    fields that are absent from it are never changed on a product that exists.
    """

    line: int
    file: str
    item_id: str
    image: Path
    product: Mapping[str, object]
    category_group: str = ""
    view: str = ""  # empty where the source names none: such photos are numbered
    pose: int = 0  # DeepFashion's number before the view
    segmentation_map: Path | None = None

    def problem(self, reason: str) -> Problem:
        """A problem at this row's place."""
        return Problem(self.line, self.file, reason)


@dataclass
class Source:
    """Everything read from a path before any photo was opened."""

    description: str
    rows: list[ImportRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def shown(value: object) -> str:
    """What arrived, short and without control characters, for a message."""
    return _SHORT.repr(value)


def printable(name: str) -> str:
    """A file name as a terminal may show it."""
    return name if name.isprintable() else ascii(name)
