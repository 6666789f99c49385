"""Outlines drawn anew along the photo's edges."""

import cv2
import numpy as np
import pytest

from embeddings.garments.overlap import garment_iou
from embeddings.garments.refining import refined
from tests.embeddings.garments.drawn import packshot, street_photo


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_blurred_parse_gets_the_outline_that_the_photo_shows(seed):
    photo, labels = street_photo(seed, size=(96, 144))
    shown = labels > 0
    backdrop = 1 - cv2.GaussianBlur(shown.astype(np.float32), (0, 0), 9)

    found = refined(photo, backdrop)

    assert garment_iou(found, shown) > garment_iou(backdrop < 0.5, shown) + 0.02
    assert (refined(photo, backdrop) == found).all()


def test_where_the_parser_is_sure_of_nothing_it_alone_decides():
    photo, mask = packshot(40)
    unsure = np.where(mask, 0.4, 0.6).astype(np.float32)

    assert (refined(photo, unsure) == mask).all()


@pytest.mark.parametrize("likely", [0.0, 1.0])
def test_a_photo_that_is_all_one_thing_stays_so(likely):
    photo = np.full((60, 40, 3), 128, np.uint8)

    assert refined(photo, np.full((60, 40), likely, np.float32)).mean() == 1 - likely
