"""How faithful one way to embed is to another, by hand-placed vectors and by noise."""

import numpy as np
import pytest

from embeddings.nets.fidelity import Fidelity, compare

FAITHFUL = Fidelity(
    n_photos=256,
    mean_cosine=0.996,
    worst_cosine=0.987,
    top5_in_top10=0.998,
    precision_change=-0.004,
    precision_error=0.003,
)


def clusters(n_photos=60, dimension=16, seed=0):
    """Features around six centres, and which centre each is of."""
    rng = np.random.default_rng(seed)
    categories = rng.integers(0, 6, n_photos)
    centres = rng.standard_normal((6, dimension))
    return centres[categories] + rng.standard_normal((n_photos, dimension)), categories


def naive_figures(fast, reference, categories):
    """The same four figures, one photo after the other."""
    mean = reference.mean(axis=0)
    cosines, kept, changes = [], [], []

    def nearest(features, n, k):
        similarity = [cosine(features[n], other) for other in features]
        order = sorted((m for m in range(len(features)) if m != n), key=lambda m: -similarity[m])
        return order[:k]

    def cosine(a, b):
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    for n in range(len(fast)):
        cosines.append(cosine(fast[n] - mean, reference[n] - mean))
        few, many = nearest(reference, n, 5), nearest(fast, n, 10)
        kept.append(len(set(few) & set(many)) / 5)
        hits = [np.mean(categories[rows] == categories[n]) for rows in (many[:5], few)]
        changes.append(hits[0] - hits[1])
    return np.mean(cosines), np.min(cosines), np.mean(kept), np.mean(changes)


def test_the_figures_are_those_of_a_photo_by_photo_reckoning():
    reference, categories = clusters()
    fast = reference + np.random.default_rng(1).standard_normal(reference.shape)

    found = compare(fast, reference, categories)

    figures = (
        found.mean_cosine,
        found.worst_cosine,
        found.top5_in_top10,
        found.precision_change,
    )
    assert figures == pytest.approx(naive_figures(fast, reference, categories))
    assert found.precision_change != 0
    assert found.n_photos == 60


def test_the_same_features_are_faithful():
    reference, categories = clusters()

    found = compare(reference.copy(), reference, categories)

    assert found.refusal == ""
    assert (found.top5_in_top10, found.precision_change) == (1, 0)
    assert found.worst_cosine == pytest.approx(1)


def test_features_that_are_not_finite_are_refused():
    reference, categories = clusters()
    broken = reference.copy()
    broken[7] = np.nan

    assert "worst cosine" in compare(broken, reference, categories).refusal


def test_an_offset_that_all_share_does_not_hide_a_difference():
    reference, categories = clusters()
    fast = reference + np.random.default_rng(1).standard_normal(reference.shape)

    near = compare(fast, reference, categories).mean_cosine
    shifted = compare(fast + 1000, reference + 1000, categories).mean_cosine

    assert shifted == pytest.approx(near)


@pytest.mark.parametrize(
    ("figure", "value", "refusal"),
    [
        ("mean_cosine", 0.9949, "mean-centred cosine 0.9949, expected 0.995 or more"),
        ("worst_cosine", 0.979, "worst cosine 0.9790, expected 0.98 or more"),
        ("top5_in_top10", 0.98, "top five in top ten 0.9800, expected 0.99 or more"),
        ("precision_change", -0.012, "change of precision@5 -0.0120, expected at most 0.0110 "),
        ("precision_change", 0.012, "change of precision@5 0.0120, expected at most 0.0110 "),
    ],
)
def test_each_limit_refuses_by_itself_and_says_so(figure, value, refusal):
    assert FAITHFUL.refusal == ""

    found = Fidelity(**{**vars(FAITHFUL), figure: value})

    assert found.refusal.startswith(refusal)
