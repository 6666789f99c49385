"""Folders described by a manifest.csv."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from catalog.importing.fields import FIELDS, PRODUCT_FIELDS, clean_values
from catalog.importing.rows import ImportRow, Problem, Source, UnusableSourceError, shown
from catalog.importing.segmentation import MapFolder

REQUIRED_COLUMNS = ("item_id", "image", "category")


def read_manifest(manifest: Path, maps: Path | None) -> Source:
    """One row per line of a manifest; photos are looked for beneath its folder only.

    Raises:
        UnusableSourceError: it is not a CSV text with the required columns.
    """
    source = Source("a manifest")
    text = _decode(manifest, source)
    lines = _lines(text, source)
    columns = _columns(manifest, next(lines, (1, []))[1])
    unknown = [name for name in columns if name not in FIELDS]
    if unknown:
        names = ", ".join(shown(name) for name in unknown)
        source.warnings.append(f"unknown columns of the manifest were ignored: {names}")
    for line, cells in lines:
        _read_line(manifest, source, line, columns, cells)
    if maps is not None:
        _attach_maps(source, manifest.parent.resolve(), maps)
    if not source.rows and not source.problems:
        raise UnusableSourceError(f"{manifest} has no row below its column names; expected photos.")
    return source


def _decode(manifest: Path, source: Source) -> str:
    """The manifest's text: UTF-8, UTF-16 as spreadsheets save it, else Windows-1252."""
    content = manifest.read_bytes()
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    source.warnings.append(
        f"the manifest is not UTF-8 (first seen in line {line}); it was read as Windows-1252"
    )
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise UnusableSourceError(
            f"{manifest} is neither UTF-8 nor Windows-1252 text; save it as UTF-8."
        ) from error


def _lines(text: str, source: Source) -> Iterator[tuple[int, list[str]]]:
    """The number of its first line (from 1) and the cells of every record that is not empty."""
    # strict: a quote that is never closed must not swallow the lines after it unnoticed
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:  # such as a cell over csv.field_size_limit(); reading goes on
            source.problems.append(Problem(line, "", f"not readable as CSV: {error}"))
            continue
        if any(cells):
            yield line, cells


def _columns(manifest: Path, header: list[str]) -> list[str]:
    columns = [name.lower() for name in header]
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise UnusableSourceError(
            f"{manifest} lacks the column {' and '.join(missing)}: its first line must name "
            f"{', '.join(REQUIRED_COLUMNS)}, separated by commas; it is {shown(','.join(header))}."
        )
    repeated = {name for name in columns if name and columns.count(name) > 1}
    if repeated:
        raise UnusableSourceError(
            f"{manifest} names a column twice: {', '.join(sorted(repeated))}."
        )
    return columns


def _read_line(
    manifest: Path, source: Source, line: int, columns: list[str], cells: list[str]
) -> None:
    if len(cells) != len(columns):
        reason = f"expected {len(columns)} cells, as the first line has, got {len(cells)}"
        source.problems.append(Problem(line, "", reason))
        return
    known = {name: cell for name, cell in zip(columns, cells, strict=True) if name in FIELDS}
    values, reasons = clean_values(known)
    paths = {}
    for name in ("image", "segmentation_map"):
        if values.get(name):
            try:
                paths[name] = _file_beneath(manifest.parent, str(values[name]))
            except ValueError as error:
                reasons.append(f"{name}: {error}, got {shown(values[name])}")
    if reasons:
        source.problems.append(Problem(line, "", "; ".join(reasons)))
        return
    source.rows.append(
        ImportRow(
            line=line,
            file=str(values["image"]),
            item_id=str(values["item_id"]),
            image=paths["image"],
            product={name: values[name] for name in PRODUCT_FIELDS if name in values},
            category_group=str(values.get("category_group") or ""),
            view=str(values.get("view") or "").lower(),
            segmentation_map=paths.get("segmentation_map"),
        )
    )


def _file_beneath(folder: Path, name: str) -> Path:
    """The file that a manifest means, which no `..`, root or link may lead out of its folder.

    Raises:
        ValueError: it leads out, or there is no such file.
    """
    path = PurePath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("expected a path beneath the manifest's folder")
    try:
        resolved = (folder / path).resolve()
        is_file = resolved.is_file()
    except (OSError, RuntimeError) as error:  # a name too long, a loop of links
        raise ValueError("there is no such file") from error
    if not resolved.is_relative_to(folder.resolve()):
        raise ValueError("it is a link that leads out of the manifest's folder")
    if not is_file:
        raise ValueError("there is no such file")
    return resolved


def _attach_maps(source: Source, folder: Path, maps: Path) -> None:
    """Give rows without a map of their own the one named after their photo."""
    photos = [row.image.relative_to(folder) for row in source.rows]
    found = MapFolder(maps, list(dict.fromkeys(photos)))
    source.rows = [
        row if row.segmentation_map else _with_map(row, found.find(photo))
        for row, photo in zip(source.rows, photos, strict=True)
    ]


def _with_map(row: ImportRow, found: Path | None) -> ImportRow:
    return replace(row, segmentation_map=found) if found else row
