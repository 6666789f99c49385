"""A folder to import from: a catalogue's photos and copies of some of them, each a product."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.datasets.photo_catalogue import PhotoCatalogue
from benchmarks.duplicates.copies import COPIES

QUALITY = 95  # of the copies' files, after the JPEG that is part of the copy


def item_id(position: int, kind: str = "photo") -> str:
    """Of a photo, or of a copy of it."""
    return f"{kind}-{position}"


def position_of(name: str) -> int:
    """Which photo an item id is of."""
    return int(name.rpartition("-")[2])


def choose(photos: PhotoCatalogue, n_products: int | None, n_copied: int, seed: int) -> np.ndarray:
    """Positions in random order: those that are copied first."""
    order = np.random.default_rng(seed).permutation(len(photos))[:n_products]
    if len(order) < n_copied:
        raise ValueError(f"{len(order)} photos are too few to copy {n_copied} of them")
    return order


def write_folder(
    folder: Path,
    photos: PhotoCatalogue,
    order: np.ndarray,
    n_copied: int,
    seed: int,
    on_progress: Callable[[int], None],
) -> None:
    """A manifest.csv, and beside it every photo and the copies of the first ones."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item_id", "image", "category", "gender"))
        for number, position in enumerate(order.tolist()):
            kind = (photos.categories[position], photos.genders[position])
            source = photos.folder / photos.files[position]
            path = f"{item_id(position)}{source.suffix}"
            shutil.copyfile(source, folder / path)
            writer.writerow((item_id(position), path, *kind))
            for name in COPIES if number < n_copied else ():
                path = f"{item_id(position, name)}.jpg"
                writer.writerow((item_id(position, name), path, *kind))
                rng = np.random.default_rng([seed, position, [*COPIES].index(name)])
                copy = COPIES[name](Image.fromarray(photos.read(position)), rng)
                copy.save(folder / path, quality=QUALITY)
            on_progress(number + 1)
