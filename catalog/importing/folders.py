"""Folders without a manifest: DeepFashion's names, a folder per category, or a flat folder."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from catalog.importing.deepfashion import EXPECTED_NAME, looks_like_deepfashion, parse_name
from catalog.importing.fields import clean_values
from catalog.importing.rows import ImportRow, Problem, Source, UnusableSourceError, printable
from catalog.importing.segmentation import MAP_ENDING, MapFolder

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass
class _Listing:
    """What lies in a folder and in the folders directly below it; paths relative to it."""

    photos: list[PurePath] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    too_deep: list[PurePath] = field(default_factory=list)


def read_folder(root: Path, maps: Path | None) -> Source:
    """One row per photo in a folder, with DeepFashion's names if any name looks like one.

    `maps`, where the segmentation maps lie, is the folder itself if None.

    Raises:
        UnusableSourceError: the folder holds no photo.
    """
    listing = _list_photos(root, maps)
    if not listing.photos:
        raise UnusableSourceError(_no_photo(root, listing))
    map_folder = MapFolder(maps or root, listing.photos)
    expects_deepfashion = any(looks_like_deepfashion(photo.name) for photo in listing.photos)
    source = Source("DeepFashion file names" if expects_deepfashion else "photos in folders")
    read = _deepfashion_row if expects_deepfashion else _plain_row
    for photo in listing.photos:
        outcome = read(root, photo, map_folder.find(photo))
        (source.rows if isinstance(outcome, ImportRow) else source.problems).append(outcome)
    source.problems += [
        Problem(0, str(path), "lies too deep: expected <category>/<photo> or <photo>")
        for path in listing.too_deep
    ]
    if listing.ignored:
        source.warnings.append(_ignored_files(listing.ignored))
    return source


def _list_photos(root: Path, maps: Path | None) -> _Listing:
    listing = _Listing()
    for path in _visible(root):
        if not path.is_dir():
            _add(listing, path, root)
        elif maps is None or path.resolve() != maps.resolve():
            for inner in _visible(path):
                if not inner.is_dir():
                    _add(listing, inner, root)
                elif any(file.suffix.lower() in PHOTO_SUFFIXES for file in _visible(inner)):
                    listing.too_deep.append(inner.relative_to(root))
    return listing


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))


def _add(listing: _Listing, path: Path, root: Path) -> None:
    if path.name.endswith(MAP_ENDING):
        return
    if path.suffix.lower() in PHOTO_SUFFIXES:
        listing.photos.append(path.relative_to(root))
    else:
        listing.ignored[path.suffix.lower() or "no suffix"] += 1


def _deepfashion_row(root: Path, photo: PurePath, found_map: Path | None) -> ImportRow | Problem:
    name = parse_name(photo.name)
    if name is None:
        return Problem(0, str(photo), f"expected a name like {EXPECTED_NAME}")
    return ImportRow(
        line=0,
        file=str(photo),
        item_id=name.item_id,
        image=root / photo,
        product={"gender": name.gender, "category": name.category},
        view=name.view,
        pose=name.pose,
        segmentation_map=found_map,
    )


def _plain_row(root: Path, photo: PurePath, found_map: Path | None) -> ImportRow | Problem:
    """A product of its own: its item id is its path, its category the folder that it lies in."""
    names = {"item_id": photo.with_suffix("").as_posix()}
    if photo.parent.name:
        names["category"] = photo.parent.name
    values, reasons = clean_values(names)
    if reasons:
        return Problem(0, str(photo), "; ".join(reasons))
    return ImportRow(
        line=0,
        file=str(photo),
        item_id=str(values.pop("item_id")),
        image=root / photo,
        product=values,
        segmentation_map=found_map,
    )


def _ignored_files(ignored: Counter[str]) -> str:
    kinds = ", ".join(f"{printable(suffix)} ({n})" for suffix, n in ignored.most_common(10))
    return f"files that are not photos were ignored: {kinds}; photos are {_suffixes()}"


def _no_photo(root: Path, listing: _Listing) -> str:
    if listing.too_deep:
        arrived = f"photos only deeper, in {printable(str(listing.too_deep[0]))}"
    elif listing.ignored:
        arrived = ", ".join(printable(suffix) for suffix, _ in listing.ignored.most_common(10))
    else:
        arrived = "nothing"
    return (
        f"{root} holds no photo: expected {_suffixes()} files in it or in folders named by "
        f"category, or a manifest.csv; found {arrived}."
    )


def _suffixes() -> str:
    return ", ".join(PHOTO_SUFFIXES)
