"""Finding garments by a photo's pixels, and the order in which it is tried."""

import numpy as np
import pytest

from embeddings.garments import finding
from embeddings.garments.finding import (
    FINDERS,
    GRABCUT,
    PARSER,
    SEGFORMER,
    WHITE_BACKGROUND,
    FinderSettings,
    check_methods,
    find_garments,
)
from embeddings.garments.grabcut import cut_center
from embeddings.garments.overlap import garment_iou
from embeddings.garments.white_background import remove_white
from tests.embeddings.garments.drawn import packshot, street_photo


@pytest.mark.parametrize(("garment", "noise"), [(40, 0), (240, 0), (246, 1), (247, 0)])
def test_a_garment_nearly_as_white_as_its_backdrop_stays_whole(garment, noise):
    photo, mask = packshot(garment, noise=noise)

    found = remove_white(photo)

    assert garment_iou(found, mask) > 0.97
    assert found[90:110, 70:95].all()  # a spot inside it as white as the backdrop


def test_a_backdrop_that_is_not_quite_white_and_uneven_goes_too():
    photo, mask = packshot(90, backdrop=241, noise=3)

    assert garment_iou(remove_white(photo), mask) > 0.97


@pytest.mark.parametrize("backdrop", [0, 120, 215])
def test_a_photo_on_another_backdrop_is_no_packshot(backdrop):
    assert remove_white(packshot(40, backdrop=backdrop)[0]) is None


def test_an_empty_white_photo_is_no_packshot():
    assert remove_white(np.full((60, 40, 3), 255, np.uint8)) is None


def test_grabcut_cuts_out_the_middle_and_always_the_same():
    photo, labels = street_photo(1, size=(96, 144))

    found = cut_center(photo)

    assert garment_iou(found, labels > 0) > 0.8
    assert (cut_center(photo) == found).all()


def test_grabcut_finds_nothing_in_a_photo_of_one_colour():
    assert cut_center(np.full((60, 40, 3), 128, np.uint8)) is None


def test_the_first_method_that_finds_anything_is_taken():
    white, _ = packshot(40)
    street, _ = street_photo(1, size=(96, 144))
    settings = FinderSettings(methods=(WHITE_BACKGROUND, GRABCUT))

    assert find_garments(white, settings).method == WHITE_BACKGROUND
    assert find_garments(street, settings).method == GRABCUT
    assert find_garments(street, FinderSettings(methods=(WHITE_BACKGROUND,))) is None
    assert find_garments(street, FinderSettings()) is None


def test_a_parse_becomes_a_mask_and_classes_at_the_photos_size(monkeypatch):
    probabilities = np.zeros((8, 2, 2), np.float32)
    probabilities[0] = [[0.9, 0.4], [0.1, 0.9]]
    probabilities[3, 0, 1], probabilities[5, 1, 0] = 0.6, 0.9
    monkeypatch.setattr(finding, "running_parser", lambda path: _Fixed(probabilities))

    found = find_garments(np.zeros((8, 8, 3), np.uint8), FinderSettings(methods=(PARSER,)))

    assert found.method == PARSER
    assert found.mask[0].tolist() == [False] * 6 + [True] * 2  # what is sure to be garment
    assert (found.classes[0, -1], found.classes[-1, 0], found.classes[0, 0]) == (3, 5, 0)
    assert ((found.classes > 0) == found.mask).all()


def test_a_parse_with_hardly_a_garment_found_none(monkeypatch):
    probabilities = np.zeros((8, 4, 4), np.float32)
    probabilities[0] = 1
    monkeypatch.setattr(finding, "running_parser", lambda path: _Fixed(probabilities))

    assert find_garments(np.zeros((8, 8, 3), np.uint8), FinderSettings(methods=(PARSER,))) is None


class _Fixed:
    def __init__(self, probabilities):
        self._probabilities = probabilities

    def probabilities(self, photo):
        return self._probabilities


def test_an_unknown_method_is_named_with_those_that_there_are():
    assert check_methods([PARSER, GRABCUT]) == (PARSER, GRABCUT)
    with pytest.raises(ValueError, match=rf"expected any of {', '.join(FINDERS)}, got magic"):
        check_methods(["magic", SEGFORMER])
