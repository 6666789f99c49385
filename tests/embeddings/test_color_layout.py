"""The hand-made descriptor: what it sees and what it ignores."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embeddings.color_layout import DIMENSION, describe_photo

RED, GREEN, BLUE = (200, 30, 40), (30, 160, 60), (30, 40, 200)


def shirt(color, width=60, background="white"):
    """A plain garment in the middle of a 120 x 160 photo."""
    photo = Image.new("RGB", (120, 160), background)
    left = (120 - width) // 2
    ImageDraw.Draw(photo).rectangle((left, 40, left + width, 120), fill=color)
    return photo


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_descriptor_is_the_same_each_time_and_of_its_stated_length():
    vectors = [describe_photo(shirt(RED)) for _ in range(2)]

    assert vectors[0].shape == (DIMENSION,)
    assert vectors[0].dtype == np.float32
    assert (vectors[0] == vectors[1]).all()


def test_the_same_cut_in_a_near_colour_is_nearer_than_in_a_far_one():
    red, crimson, green = (describe_photo(shirt(c)) for c in (RED, (180, 40, 50), GREEN))

    assert cosine(red, crimson) > cosine(red, green) + 0.05


def test_the_same_colour_in_the_same_cut_is_nearer_than_in_another_cut():
    wide, nearly_as_wide, narrow = (describe_photo(shirt(RED, width)) for width in (80, 76, 20))

    assert cosine(wide, nearly_as_wide) > cosine(wide, narrow) + 0.05


def test_what_a_mask_removes_changes_nothing():
    garment = np.asarray(shirt(RED).convert("L")) < 250

    vectors = [
        describe_photo(shirt(RED, background=background), garment)
        for background in ("white", GREEN, BLUE)
    ]

    assert cosine(vectors[0], vectors[1]) == pytest.approx(1.0, abs=1e-5)
    assert cosine(vectors[0], vectors[2]) == pytest.approx(1.0, abs=1e-5)
    assert cosine(vectors[0], describe_photo(shirt(RED, background=GREEN))) < 0.95


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (168, 224)])
@pytest.mark.parametrize("color", ["white", "black", RED])
def test_a_photo_of_any_size_and_one_colour_has_a_direction(size, color):
    vector = describe_photo(Image.new("RGB", size, color))

    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) > 0
