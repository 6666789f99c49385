"""Photos of one folder with segmentation maps of another."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from catalog.importing.segmentation import MAP_ENDING, MapFolder
from embeddings.photo_sets.labelled_photo import LabelledPhoto, PhotoSetError


def with_maps(photos: Sequence[LabelledPhoto], folder: Path) -> list[LabelledPhoto]:
    """Those of the photos that have a map in `folder`, by their names.

    Raises:
        PhotoSetError: it is no folder, or none of the photos has a map there.
    """
    if not folder.is_dir():
        raise PhotoSetError(f"{folder} is not a folder; expected one of maps (*{MAP_ENDING}).")
    maps = MapFolder(folder, [PurePath(photo.path.name) for photo in photos])
    found = ((photo, maps.find(PurePath(photo.path.name))) for photo in photos)
    mapped = [replace(photo, segmentation_map=path) for photo, path in found if path is not None]
    if not mapped:
        raise PhotoSetError(
            f"{folder} holds no map of any photo: expected names such as "
            f"{photos[0].path.stem}{MAP_ENDING}."
        )
    return mapped
