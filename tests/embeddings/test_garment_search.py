"""Precision of one vector per garment, by hand-placed vectors."""

import numpy as np
import pytest

from embeddings.garments.classes import GarmentClass
from embeddings.garments.regions import garment_regions, square_around
from embeddings.mask_evaluation.garment_search import WRONG, Garments, compare_ways, read_garments
from embeddings.photo_sets import read_photo_set
from tests.embeddings.garments.drawn import write_street_photos

EVERYONE = np.ones(12, bool)


def test_a_parse_gives_a_region_for_each_slot_it_shows_enough_of():
    classes = np.zeros((100, 50), np.uint8)
    classes[10:30, 20:40] = GarmentClass.TOP
    classes[60:61, 0:5] = GarmentClass.SHOES  # 5 of 5,000 pixels
    classes[70:90, 20:40] = GarmentClass.OTHER  # no slot

    (region,) = garment_regions(classes)

    assert (region.slot, region.box, region.name) == (GarmentClass.TOP, (20, 10, 40, 30), "top")
    assert region.relative_box == [0.4, 0.1, 0.8, 0.3]


def test_a_long_garment_lies_whole_in_the_middle_of_a_square():
    photo = np.full((100, 50, 3), 9, np.uint8)
    mask = np.zeros((100, 50), bool)
    mask[10:90, 20:30] = True

    square, shown = square_around(photo, mask)

    assert square.shape == (92, 92, 3)  # 80 pixels and 15% of margin
    assert shown.sum() == mask.sum()
    assert (square[shown] == 9).all()
    assert (square[:, 0] == 0).all()
    assert shown[6:86, 41:51].all()


def twelve_garments():
    """Two labels in one slot, told apart by `garment` vectors and by no others."""
    label = np.arange(12) % 2
    apart = np.stack([label == 0, label == 1], axis=1).astype(float)
    alike = np.ones((12, 2))
    vectors = {"garment": apart, "whole body": alike, "whole body, boxed": alike}
    return Garments(np.arange(12), np.ones(12, int), label, vectors)


def test_vectors_that_tell_labels_apart_hit_always_and_the_control_as_often_as_the_label():
    figures = compare_ways(twelve_garments(), EVERYONE, EVERYONE)

    assert (figures["queries"], figures["photos"]) == (12, 12)
    assert figures["garment"]["mean"] == 1.0
    assert figures["slot alone"]["mean"] == pytest.approx(5 / 11, abs=1e-4)
    assert figures["garment - slot alone"]["mean"] == pytest.approx(6 / 11, abs=1e-4)


def test_only_queries_ask_and_only_the_gallery_is_ranked_and_wrong_labels_never_hit():
    garments = twelve_garments()
    garments.label[8:] = WRONG
    queries = np.arange(12) < 2

    figures = compare_ways(garments, queries, np.arange(12) >= 2)

    assert figures["queries"] == 2
    assert figures["garment"]["mean"] == pytest.approx(0.6)  # three of a label are left


def test_garments_are_read_with_the_label_that_most_of_their_pixels_have(tmp_path):
    folder = write_street_photos(tmp_path, 2)
    palette = {"null": (0, 0, 0), "skin": (144, 238, 144), "shirt": (165, 107, 87)}
    palette["jeans"] = (185, 225, 82)

    def parse(photo, pixels):
        classes = np.zeros(pixels.shape[:2], np.uint8)
        classes[20:30, 18:30] = GarmentClass.TOP  # shirt
        classes[40:50, 18:30] = GarmentClass.DRESS  # jeans, in truth
        return classes

    encoded = []

    def encode(pictures):
        encoded.append(len(pictures))
        return np.eye(len(pictures), 4)

    garments = read_garments(read_photo_set(folder), palette, parse, encode)

    assert garments.photo.tolist() == [0, 0, 1, 1]
    assert garments.slot.tolist() == [1, 4, 1, 4]
    assert garments.label.tolist() == [2, WRONG, 2, WRONG]
    assert encoded == [4, 4]  # two garments and the body twice
    assert garments.vectors["whole body"][0].tolist() == [0, 0, 1, 0]
