"""Probabilities from vectors."""

import numpy as np
import pytest
from scipy.special import softmax

from embeddings.attributes.reading import probabilities
from embeddings.nets.finetuned import Description
from embeddings.training.finetuning.task import Described
from embeddings.training.finetuning.vector import Mixture, vectors

DESCRIPTION = Description(
    name="mine",
    backbone="mobilenet_v2",
    side=32,
    dimension=3 + 2 + 4,
    heads={"category": ("a", "b"), "color": ("c", "d", "e", "f")},
    weights={"metric": 0.6, "colors": 0.0, "category": 0.4, "color": 0.69282},
    temperatures={"category": 2.0, "color": 0.7},
    calibration={"category": 1.3, "color": 1.0},
    weights_sha256="",
)


def test_a_vector_gives_back_the_calibrated_probabilities():
    rng = np.random.default_rng(0)
    logits = {"category": rng.normal(size=(5, 2)), "color": rng.normal(size=(5, 4))}
    described = Described(np.full((5, 2), 0.5**0.5), np.ones((5, 1)), logits)
    mixture = Mixture(np.array([0.6, 0.0, 0.4, 0.69282]), np.array([2.0, 0.7]))
    stored = vectors(described, mixture).astype(np.float16).astype(np.float32)
    found = probabilities(stored, DESCRIPTION)
    assert list(found) == ["category", "color"]
    assert found["category"] == pytest.approx(softmax(logits["category"] / 1.3, axis=1), abs=2e-3)
    assert found["color"] == pytest.approx(softmax(logits["color"], axis=1), abs=2e-3)


def test_values_below_zero_that_rounding_left_count_as_none():
    vector = np.zeros((1, 9), np.float32)
    vector[0, 3:] = [-1e-4, 0.4, 0.0, 0.0, 0.69, 0.0]
    found = probabilities(vector, DESCRIPTION)
    assert found["category"].tolist() == [[0.0, 1.0]]
    assert found["color"].tolist() == [[0.0, 0.0, 1.0, 0.0]]


def test_vectors_of_another_backbone_are_refused():
    with pytest.raises(ValueError, match="expected vectors of 9 values, got 8"):
        probabilities(np.zeros((1, 8), np.float32), DESCRIPTION)
