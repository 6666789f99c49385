"""Changes to the catalogue that touch several models."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from django.db import connection, transaction

from catalog.importing.aliases import follow_merges
from catalog.importing.items import Item, choose_groups, collect_items, refuse_contradictions
from catalog.importing.photos import MAP_FORMATS, PHOTO_FORMATS, CheckedImage, check_files
from catalog.importing.report import ImportRefusedError, ImportReport
from catalog.importing.rows import CatalogImportError, ImportRow, Problem
from catalog.importing.source import read_source
from catalog.importing.writing import UNCATEGORIZED, CatalogWriter, ensure_categories
from catalog.stored_files import new_files

BATCH = 500  # items that are compared and written together
IMPORT_LOCK = 0x0FA5_41AC  # any number of our own, for pg_advisory_xact_lock

OnProgress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


def import_catalog(
    *,
    path: Path,
    segmentation: Path | None = None,
    on_error: Literal["stop", "skip"] = "stop",
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Bring the products and photos at a path into the catalogue; doing it again changes nothing.

    Everything is read, decoded and checked before the first write, and written in one transaction.
    Products and photos that the path does not have are left alone. With `on_error="skip"` bad rows
    are left out and listed in the report.

    Raises:
        UnusableSourceError: the path holds nothing to import.
        ImportRefusedError: some rows are bad under "stop", or all of them under "skip".
        CatalogImportError: a photo changed meanwhile or could not be stored.
    """
    on_progress = on_progress or _no_progress
    source = read_source(path, segmentation)
    groups, warnings = choose_groups(source.rows)
    agreeing, contradictions = refuse_contradictions(source.rows)
    rows, checked, unreadable = _check_photos(agreeing, on_progress)
    report = ImportReport(
        description=source.description,
        n_rows=len(source.rows) + len(source.problems),
        problems=sorted([*source.problems, *contradictions, *unreadable]),
        warnings=[*source.warnings, *warnings],
    )
    if report.problems and (on_error == "stop" or not rows):
        raise ImportRefusedError(report)
    try:
        _write(collect_items(rows), groups, checked, report, on_progress)
    except OSError as error:
        raise CatalogImportError(f"A photo could not be stored, nothing was: {error}") from error
    return report


def _no_progress(task: str, done: int, total: int) -> None:
    pass


def _check_photos(
    rows: list[ImportRow], on_progress: OnProgress
) -> tuple[list[ImportRow], dict[Path, CheckedImage], list[Problem]]:
    """The rows whose photo and map decode, what is known of those files, the others' problems."""
    photos = {row.image: PHOTO_FORMATS for row in rows}
    maps = {row.segmentation_map: MAP_FORMATS for row in rows if row.segmentation_map}
    files = [*photos.items(), *maps.items()]
    outcomes = {}
    for (path, formats), outcome in zip(files, check_files(files), strict=True):
        outcomes[path, formats] = outcome
        on_progress("Reading photos", len(outcomes), len(files))
    good, problems = [], []
    for row in rows:
        reasons = []
        photo = outcomes[row.image, PHOTO_FORMATS]
        if not isinstance(photo, CheckedImage):
            reasons.append(f"photo: {photo}")
        if row.segmentation_map:
            found = outcomes[row.segmentation_map, MAP_FORMATS]
            if not isinstance(found, CheckedImage):
                reasons.append(f"segmentation map: {found}")
        if reasons:
            problems.append(row.problem("; ".join(reasons)))
        else:
            good.append(row)
    checked = {
        path: found for (path, _), found in outcomes.items() if isinstance(found, CheckedImage)
    }
    return good, checked, problems


def _write(
    items: list[Item],
    groups: dict[str, str],
    checked: dict[Path, CheckedImage],
    report: ImportReport,
    on_progress: OnProgress,
) -> None:
    with new_files() as files, transaction.atomic():
        with connection.cursor() as cursor:  # a second import waits, then finds nothing to do
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])
        items = follow_merges(items, report)
        names = {str(item.product.get("category", UNCATEGORIZED)) for item in items}
        categories = ensure_categories(names, groups, report)
        writer = CatalogWriter(categories=categories, checked=checked, files=files, report=report)
        for start in range(0, len(items), BATCH):
            writer.write(items[start : start + BATCH])
            on_progress("Writing the catalogue", min(start + BATCH, len(items)), len(items))
