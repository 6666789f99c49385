"""Lists as CSV: the file is there whole, or as it was before."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from recommender.batch.loading import LoadedProducts
from recommender.models import Tier
from recommender.nightly.list_rows import Lists

COLUMNS = (
    "shopper",
    "rank",
    "item_id",
    "relevance",
    "visual",
    "popularity",
    "category",
    "merchandising",
    "because_of",
    "tier",
    "pinned",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


class OutputError(Exception):
    """The file cannot be written there; the message says what to do."""


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A file beside `path`, which becomes it, on disk, when the block ends well.

    Raises:
        OutputError: before anything is done, where that is impossible.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"Cannot write {path}: expected a file name in a folder that exists.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_header(file: IO[str]) -> None:
    """The names of the columns."""
    csv.writer(file).writerow(COLUMNS)


def write_lists(
    file: IO[str], lists: Lists, external_ids: list[str], products: LoadedProducts
) -> None:
    """One line per recommendation. Ids that a spreadsheet would compute get an apostrophe first."""
    names = np.array([_escaped(name) for name in external_ids], dtype=object)
    items = np.array([_escaped(item) for item in products.item_ids] + [""], dtype=object)
    tiers = np.where(lists.because_of >= 0, Tier.PERSONAL.value, Tier.POPULAR.value)
    csv.writer(file).writerows(
        zip(
            names[lists.shoppers].tolist(),
            lists.ranks.tolist(),
            items[lists.products].tolist(),
            *(column.tolist() for column in np.round(lists.terms, 6).T),
            items[lists.because_of].tolist(),  # -1: the empty one at the end
            tiers.tolist(),
            lists.pinned.astype(int).tolist(),
            strict=True,
        )
    )


def _escaped(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
