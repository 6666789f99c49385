"""From a map's colours to garment classes."""

import json

import numpy as np
import pytest
from PIL import Image

from embeddings.garments.classes import (
    GarmentClass,
    label_classes,
    map_classes,
    read_named_palette,
)
from embeddings.garments.overlap import class_counts, class_ious, garment_iou

PALETTE = {"null": (0, 0, 0), "skin": (144, 238, 144), "coat": (187, 170, 111), "bag": (9, 9, 200)}


def test_every_pixel_takes_the_class_of_the_nearest_colour():
    pixels = np.array([[(0, 0, 0), (140, 240, 140)], [(186, 171, 111), (0, 0, 190)]], np.uint8)
    rgb = Image.fromarray(pixels)
    indexed = rgb.quantize(8)

    expected = [[0, 0], [GarmentClass.OUTERWEAR, GarmentClass.BAG]]
    assert map_classes(rgb, PALETTE).tolist() == expected
    assert map_classes(indexed, PALETTE).tolist() == expected


def test_no_label_has_two_classes_and_skin_and_hair_are_backdrop():
    table = label_classes()

    assert {table[label] for label in ("null", "skin", "hair")} == {GarmentClass.BACKGROUND}
    assert {table["jumper"], table["suit"]} == {GarmentClass.TOP, GarmentClass.OUTERWEAR}
    assert set(table.values()) == set(GarmentClass)


def test_a_palette_with_an_unknown_label_is_refused_by_name(tmp_path):
    file = tmp_path / "palette.json"
    file.write_text(json.dumps({"null": [0, 0, 0], "toga": [1, 2, 3]}))

    with pytest.raises(
        ValueError, match=r"palette\.json: no class is known for toga; labels\.json"
    ):
        read_named_palette(file)


def test_overlap_of_hand_made_masks_and_classes():
    found = np.array([[1, 1, 0, 0]])
    shown = np.array([[0, 1, 1, 0]])

    ious = class_ious(class_counts(found, shown))

    assert garment_iou(found > 0, shown > 0) == pytest.approx(1 / 3)
    assert garment_iou(found > 9, shown > 9) == 1.0
    assert ious[:2] == pytest.approx([1 / 3, 1 / 3])
    assert np.isnan(ious[2:]).all()
