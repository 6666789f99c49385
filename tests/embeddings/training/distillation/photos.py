"""A handful of drawn phone photos and street photos with maps."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from embeddings.photo_sets import LabelledPhoto, split_of

SHIRT, SKIN, BAG = (165, 107, 87), (144, 238, 144), (228, 161, 202)
TRAIN = [name for name in map(str, range(99)) if split_of(name) == "train"]
VALIDATION = [name for name in map(str, range(99)) if split_of(name) == "validation"]


def draw_phone_photos(folder: Path, n: int = 6) -> list[LabelledPhoto]:
    """Bright garments on dark floors, shirts and hats in turn; every third is for validation."""
    folder.mkdir(parents=True, exist_ok=True)
    photos = []
    for index in range(n):
        rng = np.random.default_rng(index)
        floor = rng.integers(30, 60, (90, 70, 3)).astype(np.uint8)
        image = Image.fromarray(floor)
        box = (15, 20, 55, 70) if index % 2 else (10, 40, 60, 60)
        ImageDraw.Draw(image).rectangle(box, fill=(230, 40 + 30 * index % 200, 60))
        path = folder / f"{index}.png"
        image.save(path)
        group = VALIDATION[index // 3] if index % 3 == 2 else TRAIN[index]
        labels = {"category": "Shirt" if index % 2 else "Hat"}
        photos.append(LabelledPhoto(path, str(index), group, labels))
    return photos


def draw_street_photo(folder: Path) -> LabelledPhoto:
    """A shirt above a bag on a grey street, and the map that says so."""
    folder.mkdir(parents=True, exist_ok=True)
    photo, segmentation_map = Image.new("RGB", (60, 80), "grey"), Image.new("RGB", (60, 80))
    for image, colors in (
        (photo, ("white", "red", "tan")),
        (segmentation_map, (SHIRT, BAG, SKIN)),
    ):
        draw = ImageDraw.Draw(image)
        for box, color in zip(
            ((10, 10, 49, 39), (20, 50, 39, 69), (25, 0, 34, 9)), colors, strict=True
        ):
            draw.rectangle(box, fill=color)
    paths = folder / "street.png", folder / "street_segm.png"
    photo.save(paths[0])
    segmentation_map.save(paths[1])
    return LabelledPhoto(paths[0], "s", TRAIN[0], {"category": "Tees"}, paths[1])
