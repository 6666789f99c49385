"""The parser that is shipped, on real photos where they are there."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.garments.classes import read_named_palette
from embeddings.garments.finding import PARSER, WEIGHTS, FinderSettings
from embeddings.garments.overlap import garment_iou
from embeddings.mask_evaluation.measuring import find_photo, true_classes
from embeddings.nets.garment_parser import LARGEST_FILE, load_parser
from embeddings.photo_sets import read_photo_set, split_of

STREET = Path(__file__).parents[4] / "shared" / "data" / "deepfashion_format"


def test_it_is_small_and_what_its_recipe_says():
    parser = load_parser(WEIGHTS)

    assert WEIGHTS.stat().st_size <= LARGEST_FILE
    assert parser.n_classes == 8
    assert not parser.training


@pytest.mark.skipif(not STREET.is_dir(), reason=f"{STREET} is absent")
def test_it_finds_the_garments_of_street_photos_that_it_did_not_learn_from():
    palette = read_named_palette(STREET / "palette.json")
    photos = [p for p in read_photo_set(STREET) if split_of(p.group) == "validation"][:12]

    settings = FinderSettings(methods=(PARSER,))
    found = [find_photo(photo, settings) for photo in photos]

    ious = [
        garment_iou(one.mask, true_classes(photo, palette) > 0)
        for one, photo in zip(found, photos, strict=True)
    ]
    assert np.mean(ious) > 0.7
    assert {one.method for one in found} == {PARSER}
