"""Reading a folder of labelled photos: one with a manifest.csv, or one of DeepFashion's names."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from catalog.importing.deepfashion import EXPECTED_NAME, DeepFashionName, parse_name
from catalog.importing.segmentation import MAP_ENDING, MapFolder
from embeddings.photo_sets.labelled_photo import LabelledPhoto, PhotoSetError

MANIFEST = "manifest.csv"
PHOTOS, MAPS = "images", "segm"  # the folders of DeepFashion's downloads
PHOTO_SUFFIXES = (".jpg", ".png")
REQUIRED_COLUMNS = ("item_id", "image", "category")
# What twins share, first come, first served: a title in a catalogue, who sent a photo.
GROUP_COLUMNS = ("title", "sender_id", "item_id")
NOT_LABELS = ("item_id", "image", "segmentation_map")


def read_photo_set(folder: Path) -> list[LabelledPhoto]:
    """The photos of a folder in the order of its manifest, or of their names.

    Cost: looks at every file's entry, opens none but the manifest.

    Raises:
        PhotoSetError: the folder is not there, or holds neither a usable manifest.csv nor
            DeepFashion's names.
    """
    if not folder.is_dir():
        raise PhotoSetError(f"{folder} is not a folder; expected one with a {MANIFEST}.")
    if (folder / MANIFEST).is_file():
        photos = list(_manifest_photos(folder / MANIFEST))
    else:
        photos = list(_deepfashion_photos(folder))
    if not photos:
        raise PhotoSetError(
            f"{folder} holds no labelled photo: expected a {MANIFEST}, "
            f"or photos named {EXPECTED_NAME}."
        )
    return photos


def _manifest_photos(manifest: Path) -> Iterator[LabelledPhoto]:
    rows = list(_manifest_rows(manifest))
    maps = manifest.parent / MAPS
    found = MapFolder(maps, [PurePath(row["image"]) for row in rows]) if maps.is_dir() else None
    for row in rows:
        path, given_map = manifest.parent / row["image"], row.get("segmentation_map")
        segmentation_map = manifest.parent / given_map if given_map else None
        if segmentation_map is None and found is not None:
            segmentation_map = found.find(PurePath(row["image"]))
        yield LabelledPhoto(
            path=path,
            item_id=row["item_id"],
            group=next(row[column] for column in GROUP_COLUMNS if row.get(column)),
            labels={name: value for name, value in row.items() if name not in NOT_LABELS and value},
            segmentation_map=segmentation_map,
        )


def _manifest_rows(manifest: Path) -> Iterator[Mapping[str, str]]:
    """The cells of every line, stripped, by the names in the first line.

    Raises:
        PhotoSetError: no CSV in UTF-8, a required column or cell lacks, or a photo is not there.
    """
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            missing = [name for name in REQUIRED_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise PhotoSetError(f"{manifest} lacks the column {' and '.join(missing)}.")
            for row in reader:
                cells = {name: cell.strip() for name, cell in row.items() if isinstance(cell, str)}
                _check_row(manifest, reader.line_num, cells)
                yield cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise PhotoSetError(f"{manifest} is not readable as CSV in UTF-8: {error}.") from error


def _check_row(manifest: Path, line: int, cells: Mapping[str, str]) -> None:
    for name in REQUIRED_COLUMNS:
        if not cells[name]:
            raise PhotoSetError(f"{manifest}, line {line}: {name} is empty.")
    for name in ("image", "segmentation_map"):
        file = cells.get(name, "")
        if file and (PurePath(file).is_absolute() or ".." in PurePath(file).parts):
            raise PhotoSetError(
                f"{manifest}, line {line}: expected a path beneath its folder, got {file!r}."
            )
        if file and not (manifest.parent / file).is_file():
            raise PhotoSetError(f"{manifest}, line {line}: there is no file {file!r}.")


def _deepfashion_photos(folder: Path) -> Iterator[LabelledPhoto]:
    photos = folder / PHOTOS if (folder / PHOTOS).is_dir() else folder
    maps = folder / MAPS if (folder / MAPS).is_dir() else folder
    paths = [path for path in sorted(photos.iterdir()) if _is_photo(path)]
    found = MapFolder(maps, [PurePath(path.name) for path in paths])
    for path in paths:
        name = parse_name(path.name)
        if name is None:
            raise PhotoSetError(f"{path}: expected a name like {EXPECTED_NAME}.")
        yield LabelledPhoto(
            path=path,
            item_id=name.item_id,
            group=_article_number(name),
            labels={"category": name.category, "gender": name.gender},
            segmentation_map=found.find(PurePath(path.name)),
        )


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.endswith(MAP_ENDING)


def _article_number(name: DeepFashionName) -> str:
    """The eight digits that name an article, whose colours have two digits more."""
    return name.item_id.split("_")[1].split("-")[0]
