"""The embedding benchmark's own arithmetic."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.embeddings import spread, summary
from benchmarks.enlarging import enlarge


def test_ratios_are_taken_within_a_round_and_the_ceiling_adds_both_times():
    rounds = [
        {"naive": 5, "decode": 100, "network": 25, "end_to_end": 18, "matrix_gflops": 400},
        {"naive": 4, "decode": 50, "network": 50, "end_to_end": 20, "matrix_gflops": 800},
        {"naive": 5, "decode": 60, "network": 30, "end_to_end": 15, "matrix_gflops": 300},
    ]

    figures = summary(rounds, gflops=8)

    assert figures["ceiling_images_per_second"] == {"median": 20, "min": 20, "max": 25}
    assert figures["fraction_of_ceiling"] == {"median": 0.8, "min": 0.75, "max": 0.9}
    assert figures["ratio_to_naive"] == {"median": 3.6, "min": 3, "max": 5}
    assert figures["images_per_second"]["median"] == 18
    assert figures["network_fraction_of_matrix_rate"] == {"median": 0.5, "min": 0.5, "max": 0.8}


def test_a_spread_is_median_and_extremes():
    assert spread([3, 1, 2, 10]) == {"median": 2.5, "min": 1, "max": 10}


@pytest.mark.parametrize(("n_photos", "n_copied"), [(0, 3), (2, 2)])
def test_enlarged_photos_keep_their_maps_colours(tmp_path, n_photos, n_copied):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "images").mkdir(parents=True)
    (source / "segm").mkdir()
    for name in "abc":
        Image.new("RGB", (30, 40), (200, 30, 40)).save(source / "images" / f"{name}.jpg")
        colors = Image.new("P", (30, 40), 7)
        colors.putpalette(list(range(24)))
        colors.save(source / "segm" / f"{name}_segm.png")

    enlarge(source, target, width=60, n_photos=n_photos, seed=0)

    maps = sorted((target / "segm").iterdir())
    photos = sorted((target / "images").iterdir())
    assert len(maps) == len(photos) == n_copied
    with Image.open(photos[0]) as photo, Image.open(maps[0]) as colors:
        assert photo.size == colors.size == (60, 80)
        assert set(np.asarray(colors).ravel().tolist()) == {7}
