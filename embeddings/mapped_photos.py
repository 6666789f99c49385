"""Folders of photos with segmentation maps, and the palette that their maps are painted in."""

from pathlib import Path

from django.conf import settings

from embeddings.garments.classes import Color, read_named_palette
from embeddings.photo_sets import LabelledPhoto, PhotoSetError, read_photo_set
from embeddings.photo_sets.maps import with_maps

PALETTE = "palette.json"


def mapped_photos(
    folder: Path, maps: Path | None = None, palette: Path | None = None
) -> tuple[list[LabelledPhoto], dict[str, Color]]:
    """A folder's photos, those with maps in `maps` where that is given, and the maps' palette.

    Without `palette` it is FASHREC_SEGMENTATION_PALETTE, else a palette.json beside the photos.

    Raises:
        PhotoSetError: no photos, or none with a map.
        ValueError: no palette, or one that cannot be read.
    """
    photos = read_photo_set(folder)
    if maps is not None:
        photos = with_maps(photos, maps)
    if not any(photo.segmentation_map for photo in photos):
        raise PhotoSetError(
            f"no photo of {folder} has a segmentation map: name the folder of maps by "
            "--segmentation, each called as its photo with _segm.png at the end"
        )
    roots = [folder, folder.parent, *([maps.parent] if maps else [])]
    beside = [root / PALETTE for root in roots if (root / PALETTE).is_file()]
    given = next((p for p in (palette, settings.FASHREC_SEGMENTATION_PALETTE, *beside) if p), None)
    if given is None:
        raise ValueError(
            f"no palette: name a JSON file of labels and colours by --palette, or put a {PALETTE} "
            f"into {folder}"
        )
    return photos, read_named_palette(given)
