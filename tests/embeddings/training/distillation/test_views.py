"""What is cut out of photos, and the views that are drawn of it."""

from collections import Counter

import numpy as np
import pytest

from embeddings.training.distillation.pool import ViewCounts, draw_pool
from embeddings.training.distillation.subjects import Subject, grabcut_coverage, subjects_of
from embeddings.training.distillation.views import SIDE, draw_view
from tests.embeddings.training.distillation.photos import (
    BAG,
    SHIRT,
    draw_phone_photos,
    draw_street_photo,
)


def test_a_phone_photo_gives_itself_and_its_garment_cut_out(tmp_path):
    photo = draw_phone_photos(tmp_path, n=2)[1]
    whole, garment = subjects_of(photo, "phones")
    assert not whole.is_cut_out
    assert whole.pixels.shape == (90, 70, 3)
    assert garment.is_cut_out
    height, width = garment.coverage.shape
    assert height == pytest.approx(51, abs=6)  # the drawn rectangle is 51 x 41
    assert width == pytest.approx(41, abs=6)


def test_a_street_photo_gives_each_item_of_its_map_and_all_together(tmp_path):
    photo = draw_street_photo(tmp_path)
    found = [(s.head, s.label, s.is_cut_out) for s in subjects_of(photo, "street")]
    assert found == [
        ("street", "Tees", False),
        ("street item", str(SHIRT), True),
        ("street item", str(BAG), True),
        ("street", "Tees", True),
    ]


def test_a_photo_of_one_colour_has_nothing_to_cut_out():
    assert grabcut_coverage(np.full((90, 90, 3), 120, np.uint8)) is None


def test_a_cut_out_lies_on_a_plain_ground():
    pixels, coverage = np.zeros((40, 20, 3), np.uint8), np.full((40, 20), 255, np.uint8)
    subject = Subject(pixels, coverage, "a", "b")
    corners = []
    for seed in range(8):
        view = draw_view(subject, np.random.default_rng(seed))
        assert view.shape == (SIDE, SIDE, 3)
        corners.append(view[[0, 0, -1, -1], [0, -1, 0, -1]])
        assert (view[SIDE // 2, SIDE // 2] < 120).all()  # black, in another light
    assert all((corner == corner[0]).all() for corner in corners)
    assert sum((corner > 230).all() for corner in corners) >= 5


def test_a_pool_is_drawn_once_and_the_same_for_a_seed(tmp_path):
    sets = {
        "phones": draw_phone_photos(tmp_path / "a", n=2),
        "street": [draw_street_photo(tmp_path / "b")],
    }
    counts = ViewCounts(photo=3, cut_out=2)
    steps: list[tuple[str, int, int]] = []

    def draw(cache):
        return draw_pool(
            sets, counts, cache=cache, seed=1, on_progress=lambda *step: steps.append(step)
        )

    first, again, elsewhere = (draw(tmp_path / name) for name in ("x", "x", "y"))
    assert len(steps) == 2 * 3
    assert (first.images == again.images).all()
    assert (first.images == elsewhere.images).all()
    assert Counter(first.heads.tolist()) == {0: 2 * (3 + 2), 1: 3 + 2, 2: 2 * 2}
    assert first.labels["phones"] == ["Hat", "Shirt"]
    assert first.classes[:5].tolist() == [0] * 5
    assert np.unique(first.photos).tolist() == [0, 1, 2]


def test_a_pool_that_was_not_finished_is_drawn_again(tmp_path):
    sets = {"phones": draw_phone_photos(tmp_path / "a", n=1)}
    first = draw_pool(sets, ViewCounts(photo=5), cache=tmp_path / "x", seed=1)
    (folder,) = (tmp_path / "x").iterdir()
    (folder / "pool.json").unlink()
    (folder / "images.bin").write_bytes(b"cut off")
    again = draw_pool(sets, ViewCounts(photo=5), cache=tmp_path / "x", seed=1)
    assert len(again) == len(first) == 5 + 2
