"""Which kind of source lies at a path, and its rows."""

from pathlib import Path

from catalog.importing.folders import PHOTO_SUFFIXES, read_folder
from catalog.importing.manifest import read_manifest
from catalog.importing.rows import Source, UnusableSourceError

MANIFEST = "manifest.csv"
PHOTOS, MAPS = "images", "segm"  # the folders of DeepFashion's downloads


def read_source(path: Path, segmentation: Path | None) -> Source:
    """The rows of a manifest (a folder with manifest.csv, or the file itself), or of a folder.

    Raises:
        UnusableSourceError: there is nothing to import; the message says what was expected.
    """
    if segmentation is not None and not segmentation.is_dir():
        raise UnusableSourceError(f"{segmentation} is not a folder of segmentation maps.")
    if not path.exists():
        raise UnusableSourceError(
            f"{path} does not exist; expected a folder of photos or one with a {MANIFEST}."
        )
    try:
        source = _read(path, segmentation)
    except OSError as error:
        raise UnusableSourceError(
            f"{error.filename or path} cannot be read: {error.strerror}."
        ) from error
    if segmentation is not None and not any(row.segmentation_map for row in source.rows):
        source.warnings.append(
            f"no photo has a map in {segmentation}; expected <name>_segm.png for <name>.jpg"
        )
    return source


def _read(path: Path, segmentation: Path | None) -> Source:
    if path.is_file():
        if path.suffix.lower() != ".csv":
            raise UnusableSourceError(
                f"{path} is a file; expected a folder of photos or a {MANIFEST}."
            )
        return read_manifest(path, segmentation or _maps_beside(path.parent))
    if (path / MANIFEST).is_file():
        return read_manifest(path / MANIFEST, segmentation or _maps_beside(path))
    photos = _photo_folder(path)
    return read_folder(photos, segmentation or _maps_beside(path) or _maps_beside(photos.parent))


def _photo_folder(path: Path) -> Path:
    """`path/images` where the photos lie there, beside `segm/` or nothing else; else the path."""
    images = path / PHOTOS
    if not images.is_dir():
        return path
    alone = not any(
        (entry.is_dir() or entry.suffix.lower() in PHOTO_SUFFIXES)
        for entry in path.iterdir()
        if entry.name != PHOTOS and not entry.name.startswith(".")
    )
    return images if alone or (path / MAPS).is_dir() else path


def _maps_beside(folder: Path) -> Path | None:
    maps = folder / MAPS
    return maps if maps.is_dir() else None
