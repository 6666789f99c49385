"""Where reports go: a folder appears whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

RESULTS_FILE = "evaluation.json"  # what tells a report from any other folder
LATEST = "latest"


class ReportFolderError(Exception):
    """A report cannot be written there; the message says what to do."""


def timed_folder(reports: Path, now: datetime) -> Path:
    """A folder in `reports` that does not exist yet, named after `now` (UTC)."""
    name = now.strftime("%Y-%m-%dT%H-%M-%SZ")
    folder, n = reports / name, 1
    while folder.exists():
        n += 1
        folder = reports / f"{name}-{n}"
    return folder


def check_destination(folder: Path) -> None:
    """Refuse a place where a report cannot be put, before the work starts.

    An earlier report is replaced; anything else that is there is not ours to remove.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ReportFolderError(
            f"Expected a folder for the report, found a file or a link at {folder}: name another."
        )
    if folder.exists() and any(folder.iterdir()) and not (folder / RESULTS_FILE).exists():
        raise ReportFolderError(
            f"{folder} has files that are no report: name another folder, or empty this one."
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportFolderError(f"Cannot make {folder.parent}: {error.strerror}.") from error
    if not os.access(folder.parent, os.W_OK):
        raise ReportFolderError(f"Cannot write into {folder.parent}: name another folder.")


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A partial folder beside `folder`, which becomes it when the block ends well.

    Whatever ends the block otherwise (an error, Ctrl-C) leaves nothing behind.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.partial-") as name:
        partial = Path(name) / "report"
        partial.mkdir()
        yield partial
        if folder.exists():
            folder.rename(Path(name) / "replaced")
        partial.rename(folder)


def point_latest(folder: Path) -> None:
    """Make `latest` beside `folder` a link to it, in one step."""
    latest = folder.parent / LATEST
    link = folder.parent / f".{LATEST}.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    try:
        link.replace(latest)
    except OSError as error:
        link.unlink()
        raise ReportFolderError(
            f"The report is in {folder}, but {latest} is no link of ours: move it away."
        ) from error
