"""A photo is known again by its garment, whatever was done to the picture around it."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embeddings.duplicates.fingerprints import (
    COLOR_VALUES,
    N_BITS,
    cut_out,
    fingerprint_of,
)
from embeddings.duplicates.likeness import Seen, likeness_of

RED, BLUE = (200, 40, 60), (40, 60, 200)


def shirt(color=RED, background=(255, 255, 255), stripes=True) -> Image.Image:
    """A shirt with stripes, 120 x 160 pixels, in the middle of a plain background."""
    photo = Image.new("RGB", (120, 160), background)
    draw = ImageDraw.Draw(photo)
    draw.polygon([(30, 30), (90, 30), (112, 70), (90, 78), (90, 140), (30, 140), (8, 70)], color)
    for y in range(50, 140, 18) if stripes else ():
        draw.rectangle((32, y, 88, y + 7), (240, 220, 40))
    return photo


def seen(photo: Image.Image) -> Seen:
    found = fingerprint_of(photo)
    return Seen(np.array([1, 0], np.float32), found.bits, found.colors.tobytes())


def saved_as_jpeg(photo: Image.Image) -> Image.Image:
    buffer = BytesIO()
    photo.save(buffer, "JPEG", quality=60)
    return Image.open(buffer).convert("RGB")


@pytest.mark.parametrize(
    "copy",
    [
        saved_as_jpeg(shirt()),
        shirt().resize((60, 80)),
        shirt().resize((400, 533), Image.Resampling.BICUBIC),
        shirt().crop((4, 20, 118, 150)),
        shirt(background=(90, 140, 200)),
        shirt(background=(0, 0, 0)),
    ],
    ids=["saved anew", "smaller", "larger", "cropped", "on blue", "on black"],
)
def test_a_copy_is_alike(copy):
    assert likeness_of(seen(shirt()), seen(copy)).value > 0.3


@pytest.mark.parametrize(
    "other", [shirt(BLUE), shirt(stripes=False)], ids=["another colour", "another pattern"]
)
def test_another_article_of_the_same_cut_is_not(other):
    assert not likeness_of(seen(shirt()), seen(other)).is_alike


def test_the_same_photo_is_wholly_alike():
    same = likeness_of(seen(shirt()), seen(shirt()))
    assert (same.value, same.n_bits, same.color_distance, same.cosine) == (1, 0, 0, 1)


def test_the_garment_is_cut_out_on_white():
    garment = cut_out(np.asarray(shirt(background=(90, 140, 200))))
    cut = garment.on_white
    assert garment.mask.mean() == pytest.approx(0.72, abs=0.05)
    assert cut.shape == (111, 103, 3)  # the polygon's box without the tips of its sleeves
    assert cut[0, 0].tolist() == [255, 255, 255]
    assert cut[3, 50].tolist() == list(RED)


@pytest.mark.parametrize("photo", [Image.new("RGB", (120, 160)), Image.new("RGB", (1, 1), RED)])
def test_a_photo_of_nothing_has_a_fingerprint_too(photo):
    found = fingerprint_of(photo)
    assert len(found.bits) == N_BITS and found.colors.shape == (COLOR_VALUES,)
