"""The photos that a backbone is measured on: a folder's, nothing imported, or the database's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from django.db.models.fields.files import FieldFile

from catalog.models import ProductImage
from embeddings.photo_sets import read_photo_set, split_of

LABELS = ("category", "category_group", "color", "gender")
DATABASE = "the database's active products"


@dataclass(frozen=True)
class EvaluatedPhoto:
    """A photo that can be opened, its labels, and what its twins share with it."""

    item_id: str
    group: str
    labels: Mapping[str, str]
    fingerprint: str  # changes with the photo's or the map's content
    open: Callable[[], IO[bytes]]
    open_map: Callable[[], IO[bytes]] | None = None


@dataclass(frozen=True)
class PhotoCollection:
    """Photos in a fixed order, and what they are called."""

    name: str
    photos: Sequence[EvaluatedPhoto]

    @property
    def has_maps(self) -> bool:
        """Whether any photo has a segmentation map."""
        return any(photo.open_map for photo in self.photos)

    def groups(self) -> np.ndarray:
        """(n,) codes of the groups."""
        return np.unique([photo.group for photo in self.photos], return_inverse=True)[1]

    def is_test(self) -> np.ndarray:
        """(n,) bool: the test part."""
        return np.array([split_of(photo.group) == "test" for photo in self.photos])

    def values(self, label: str) -> np.ndarray:
        """(n,) texts, empty where a photo lacks the label."""
        return np.array([photo.labels.get(label, "") for photo in self.photos])

    def labels(self) -> list[str]:
        """The known labels with more than one value."""
        return [label for label in LABELS if len({*self.values(label)} - {""}) > 1]


def folder_photos(folder: Path) -> PhotoCollection:
    """The photos of a labelled folder, by its own name.

    Raises:
        PhotoSetError: it is no labelled photo set.
    """
    photos = [
        EvaluatedPhoto(
            item_id=photo.item_id,
            group=photo.group,
            labels=photo.labels,
            fingerprint=f"{_stamp(photo.path)} {_stamp(photo.segmentation_map)}",
            open=partial(photo.path.open, "rb"),
            open_map=partial(photo.segmentation_map.open, "rb") if photo.segmentation_map else None,
        )
        for photo in read_photo_set(folder)
    ]
    return PhotoCollection(folder.resolve().name, photos)


def database_photos() -> PhotoCollection:
    """The primary photos of all products on sale. One query."""
    images = ProductImage.objects.active().primary().select_related("product__category__group")
    return PhotoCollection(DATABASE, [_database_photo(image) for image in images])


def _database_photo(image: ProductImage) -> EvaluatedPhoto:
    product = image.product
    labels = {
        "category": product.category.name,
        "category_group": product.category.group.name if product.category.group else "",
        "gender": product.gender,
        "color": product.color,
    }
    has_map = bool(image.segmentation_map)
    return EvaluatedPhoto(
        item_id=product.item_id,
        group=product.title or product.item_id,
        labels={name: value for name, value in labels.items() if value},
        fingerprint=f"{image.sha256} {image.segmentation_sha256}",
        open=partial(_open_stored, image.image),
        open_map=partial(_open_stored, image.segmentation_map) if has_map else None,
    )


def _open_stored(field: FieldFile) -> IO[bytes]:
    return field.storage.open(field.name)


def _stamp(path: Path | None) -> str:
    if path is None:
        return ""
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
