"""Augmentation, the choice of the vector, and the measures: small numbers by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from embeddings.training.finetuning.measures import calibration_error, measure_label
from embeddings.training.finetuning.photos import Head, TrainingPhotos
from embeddings.training.finetuning.task import Described
from embeddings.training.finetuning.vector import (
    Mixture,
    calibration_temperature,
    choose_mixture,
    precisions,
    vectors,
)
from embeddings.training.finetuning.views import augmented, color_cells


def photos_of(categories, set_names=None):
    n = len(categories)
    return TrainingPhotos(
        pixels=np.zeros((n, 1, 1, 3), np.uint8),
        set_names=np.array(set_names or ["shop"] * n),
        split=np.array(["train"] * n),
        heads=(Head("category", "category", "shop", ("a", "b")),),
        targets={"category": np.array(categories)},
        fingerprint="",
    )


def test_a_view_depends_on_its_generator_alone_and_keeps_its_size():
    photo = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    views = [augmented(photo, 32, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert (views[0] == views[1]).all()
    assert (views[0] != views[2]).any()
    assert views[0].shape == (32, 32, 3)
    assert views[0].dtype == np.uint8


def test_a_view_of_one_colour_changes_it_by_an_eighth_at_most():
    photo = np.full((40, 30, 3), (200, 120, 40), np.uint8)
    for seed in range(20):
        view = augmented(photo, 16, np.random.default_rng(seed)).astype(int)
        assert (view == view[0, 0]).all()
        assert abs(view[0, 0] - (200, 120, 40)).max() <= 0.125 * 200


def test_color_cells_are_means():
    photo = np.zeros((1, 64, 64, 3), np.uint8)
    photo[0, 0, 0] = 100  # one of the four pixels of its cell
    cells = color_cells(photo)
    assert cells.shape == (1, 32, 32, 3)
    assert cells[0, 0, 0].tolist() == [25, 25, 25]
    assert cells[0, 1:].max() == 0


def test_precisions_leave_out_the_query_and_other_sets():
    # On a line: the query 0 has five others of its set near it, three of its category.
    photos = photos_of([0, 0, 0, 1, 1, 0, 1, -1], ["shop"] * 7 + ["phone"])
    angles = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 3.0, 0.01])
    embedded = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = precisions(photos, np.arange(8), np.array([0]), embedded)
    assert found == {"category": pytest.approx(3 / 5)}


def test_vectors_are_weighted_parts_and_roots_of_probabilities():
    logits = np.log(np.array([[0.25, 0.75], [0.5, 0.5], [0.9, 0.1]]))
    described = Described(np.eye(3)[:, :2] + 0.0, np.ones((3, 1)), {"category": logits})
    mixture = Mixture(np.array([0.6, 0.0, 0.8]), np.array([1.0]))
    found = vectors(described, mixture)
    assert found[0] == pytest.approx([0.6, 0, 0, 0.8 * 0.5, 0.8 * 0.75**0.5])


def test_the_mixture_favours_the_part_that_tells_the_label():
    rng = np.random.default_rng(0)
    categories = rng.integers(0, 2, 60)
    noise = rng.normal(size=(60, 8))
    described = Described(
        noise / np.linalg.norm(noise, axis=1, keepdims=True),
        np.ones((60, 1)),
        {"category": np.eye(2)[categories] * 2},
    )
    photos = photos_of(categories)
    rows = np.arange(60)
    mixture = choose_mixture(photos, rows, rows, described)
    assert mixture.weights[2] > mixture.weights[0]
    assert np.linalg.norm(mixture.weights) == pytest.approx(1, abs=1e-6)
    assert mixture.weights.min() > 0.04
    assert precisions(photos, rows, rows, vectors(described, mixture))["category"] > 0.95


def test_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    targets = np.array([rng.choice(3, p=p) for p in softmax(logits, axis=1)])
    assert calibration_temperature(3 * logits, targets) == pytest.approx(3, rel=0.15)


def test_calibration_error_by_hand():
    # Two photos at .9, one right; two at .6, both right: gaps of .4 and .4.
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.6, 0.4]])
    assert calibration_error(probabilities, np.array([0, 0, 0, 0])) == pytest.approx(0.4)


def test_a_label_is_measured_beside_the_commonest_value_of_training():
    probabilities = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.9, 0.1]])
    measure = measure_label(probabilities, np.array([0, 1, 1, -1]), np.array([1, 1, 0, -1]))
    assert (measure.n_photos, measure.top1) == (3, pytest.approx(2 / 3))
    assert measure.majority == pytest.approx(2 / 3)  # always telling 1
    assert measure.macro_f1 == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert measure_label(probabilities[:1], np.array([-1]), np.array([0])) is None
