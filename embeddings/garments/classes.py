"""The classes that a photo is parsed into, and which of a segmentation map's labels each takes in.

A map's labels are the palette's names. Of the 818 street photos those labelled jumper are filed as
sweaters, rompers as one-piece suits; a suit's label covers its jacket first of all. Where a garment
could be two things the class is the one of what hides the rest.
"""

import json
from enum import IntEnum
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

Color = tuple[int, int, int]

FILE = Path(__file__).with_name("labels.json")
# What palettes paint on people beside garments: no garment, but no backdrop either.
BODY_LABELS = ("skin", "hair", "face")


class GarmentClass(IntEnum):
    """What a pixel shows; the numbers are the parser's outputs."""

    BACKGROUND = 0
    TOP = 1
    BOTTOM = 2
    OUTERWEAR = 3
    DRESS = 4
    SHOES = 5
    BAG = 6
    OTHER = 7


N_CLASSES = len(GarmentClass)
# Garments that are compared by themselves; belts and hats are too small, or of too many kinds.
SLOTS = (
    GarmentClass.TOP,
    GarmentClass.BOTTOM,
    GarmentClass.OUTERWEAR,
    GarmentClass.DRESS,
    GarmentClass.SHOES,
    GarmentClass.BAG,
)


@cache
def label_classes() -> dict[str, GarmentClass]:
    """The class of each label that a palette may name."""
    named = json.loads(FILE.read_text(encoding="utf-8"))
    return {label: GarmentClass[name.upper()] for name, labels in named.items() for label in labels}


def read_named_palette(path: Path) -> dict[str, Color]:
    """The labels of a palette file with their colours, as (red, green, blue).

    Raises:
        ValueError: no JSON object of colours, or a label whose class is not known.
    """
    try:
        named = json.loads(path.read_text(encoding="utf-8"))
        palette = {label: (int(r), int(g), int(b)) for label, (r, g, b) in named.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: expected a JSON object such as {{'hair': [255, 0, 0]}}, got {error}"
        ) from error
    unknown = sorted(set(palette) - set(label_classes()) - set(BODY_LABELS))
    if unknown:
        raise ValueError(
            f"{path}: no class is known for {', '.join(unknown)}; {FILE.name} has them"
        )
    return palette


def map_labels(segmentation_map: Image.Image, palette: dict[str, Color]) -> np.ndarray:
    """Which of the palette's labels each pixel of a map shows: (height, width) uint8 positions.

    Each pixel takes the label of the nearest colour.
    """
    colors = np.array(list(palette.values()), dtype=np.float64)  # (n_labels, 3)
    if segmentation_map.mode == "P":
        used = np.array(segmentation_map.getpalette("RGB"), dtype=np.float64).reshape(-1, 3)
        positions = _nearest_colors(used, colors)
        table = np.zeros(256, np.uint8)
        table[: len(positions)] = positions
        return cv2.LUT(np.asarray(segmentation_map), table)
    pixels = np.asarray(segmentation_map.convert("RGB"))
    used, inverse = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    return _nearest_colors(used.astype(np.float64), colors)[inverse].reshape(pixels.shape[:2])


def map_classes(segmentation_map: Image.Image, palette: dict[str, Color]) -> np.ndarray:
    """The class of each pixel of a map: (height, width) uint8 of `GarmentClass`."""
    return class_table(palette)[map_labels(segmentation_map, palette)]


def class_table(palette: dict[str, Color]) -> np.ndarray:
    """For each position in the palette its class: (n_labels,) uint8."""
    classes = label_classes()
    return np.array([classes.get(label, GarmentClass.BACKGROUND) for label in palette], np.uint8)


def body_table(palette: dict[str, Color]) -> np.ndarray:
    """For each position in the palette whether it is skin, hair or a face: (n_labels,) bool."""
    return np.array([label in BODY_LABELS for label in palette])


def _nearest_colors(used: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """For each of (n_used, 3) colours the position of the nearest of (n_labels, 3)."""
    distances = np.linalg.norm(used[:, None, :] - colors[None, :, :], axis=2)
    return distances.argmin(axis=1).astype(np.uint8)
