"""A folder of product photos with a manifest.csv, as rows to embed and to describe products by."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fashrec_site.home import PROJECT_ROOT

# Beside the checkout on development machines; elsewhere `--photos` names one.
DEFAULT_PHOTOS = PROJECT_ROOT.parent / "shared" / "data" / "catalog"
DEFAULT_WEIGHTS = PROJECT_ROOT.parent / "shared" / "data" / "weights"


@dataclass(frozen=True)
class PhotoCatalogue:
    """`n` photos in the manifest's order, and what it says of them."""

    folder: Path
    files: list[str]  # relative to the folder
    genders: NDArray[np.str_]  # (n,) values of catalog.models.Gender
    categories: NDArray[np.str_]  # (n,) names
    groups: dict[str, str]  # the group that each category is in; the first where there are two
    fingerprint: str  # SHA-256 of the manifest, which names the files

    def __len__(self) -> int:
        return len(self.files)

    def read(self, position: int) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB.

        Raises:
            ValueError: the file cannot be decoded.
        """
        path = self.folder / self.files[position]
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photo is None:
            raise ValueError(f"{path} is no photo that OpenCV can decode")
        return cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)


def read_photo_catalogue(folder: Path) -> PhotoCatalogue | None:
    """The catalogue in `folder`, or None where it has no manifest.csv.

    Raises:
        ValueError: the manifest lacks a column.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        return None
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    needed = ("image", "gender", "category", "category_group")
    if not rows or any(column not in rows[0] for column in needed):
        raise ValueError(f"{manifest} needs rows with the columns {', '.join(needed)}")
    groups: dict[str, str] = {}
    for row in rows:
        groups.setdefault(row["category"], row["category_group"])
    return PhotoCatalogue(
        folder=folder,
        files=[row["image"] for row in rows],
        genders=np.array([row["gender"] for row in rows]),
        categories=np.array([row["category"] for row in rows]),
        groups=groups,
        fingerprint=hashlib.sha256(manifest.read_bytes()).hexdigest(),
    )
