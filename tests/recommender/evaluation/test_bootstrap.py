"""Intervals: of the right width, over shoppers, and the same each time."""

import numpy as np
import pytest

from recommender.evaluation import bootstrap
from recommender.evaluation.bootstrap import figure, mean_estimates


def estimate(values, clusters, seed=1):
    return mean_estimates({"x": np.array(values, float)}, np.array(clusters), seed=seed)["x"]


def test_the_mean_is_over_values_not_over_shoppers():
    found = estimate([0, 0, 0, 8], [1, 1, 1, 2])
    assert (found.value, found.n) == (2.0, 4)


def test_values_that_do_not_vary_have_an_interval_of_no_width():
    assert estimate([[5, 5], [5, 5]], [1, 2]).interval == (5.0, 5.0)


def test_the_interval_is_that_of_the_normal_theory_for_many_independent_shoppers():
    values = np.random.default_rng(0).normal(10, 3, size=2000)
    low, high = estimate(values, np.arange(2000)).interval
    half_width = 1.96 * values.std() / np.sqrt(2000)
    assert (high - low) / 2 == pytest.approx(half_width, rel=0.1)
    assert low < values.mean() < high


def test_repeating_a_shoppers_value_does_not_narrow_the_interval():
    values = np.random.default_rng(0).normal(size=50)
    once = estimate(values, np.arange(50)).interval
    ten_times = estimate(np.repeat(values, 10), np.repeat(np.arange(50), 10)).interval
    assert ten_times == pytest.approx(once)


def test_resampling_agrees_with_a_loop_that_draws_shoppers_one_by_one():
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    values = rng.normal(clusters, 1.0)
    means = []
    for _ in range(4000):
        drawn = rng.integers(0, 12, 12)
        rows = np.concatenate([values[clusters == shopper] for shopper in drawn])
        means.append(rows.mean())
    low, high = estimate(values, clusters).interval
    assert (low, high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.25)


def test_the_same_seed_gives_the_same_interval_whatever_else_is_measured(monkeypatch):
    values, clusters = np.random.default_rng(1).normal(size=40), np.repeat(np.arange(20), 2)
    alone = mean_estimates({"x": values}, clusters, seed=9)["x"]
    monkeypatch.setattr(bootstrap, "CHUNK_ELEMENTS", 1)  # resamples one by one
    beside = mean_estimates({"y": values * 2, "x": values}, clusters, seed=9)
    assert beside["x"].interval == pytest.approx(alone.interval)
    assert mean_estimates({"x": values}, clusters, seed=8)["x"].interval != alone.interval


def test_missing_values_are_left_out_and_not_counted():
    found = estimate([[1, np.nan], [3, np.nan], [np.nan, np.nan]], [1, 2, 3])
    assert (found.value, found.n) == (2.0, 2)
    assert found.interval == (1.0, 3.0)


def test_one_shopper_has_no_interval_and_nobody_has_no_mean():
    found = estimate([[1, 2, 3]], [7])
    assert (found.value, found.interval, found.n) == (2.0, None, 3)
    assert estimate(np.empty((0, 5)), []).value is None
    assert estimate([np.nan, np.nan], [1, 2]).n == 0


def test_a_figure_is_its_value_interval_and_number_of_values():
    found = estimate([1.00004, 1.00004, 3.00004], [1, 1, 1])
    assert figure("mae", found) == {"mae": 1.6667, "mae_interval": None, "mae_n": 3}
