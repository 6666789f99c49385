"""The intervals and the test hold however often they are looked at."""

import numpy as np
import pytest

from recommender.experiments.sequential import (
    MIN_CONVERSIONS,
    difference,
    rate_interval,
    z_needed,
)

ALPHA = 0.05
PLANNED = 4_000


def z_scores(rng, rates, n_trials, n_looks, per_look):
    """Conversions, units and standard scores at every look: each (n_trials, n_looks)."""
    per_arm = [
        rng.binomial(per_look, rate, size=(n_trials, n_looks)).cumsum(axis=1) for rate in rates
    ]
    n_units = per_look * np.arange(1, n_looks + 1)
    smoothed = [(x + 0.5) / (n_units + 1) for x in per_arm]
    variance = sum(p * (1 - p) / n_units for p in smoothed)
    z = (per_arm[1] - per_arm[0]) / n_units / np.sqrt(variance)
    return z, per_arm[0] + per_arm[1], 2 * n_units


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_of_experiments_without_a_difference_few_ever_show_one_at_any_of_400_looks(rate):
    z, conversions, units = z_scores(np.random.default_rng(7), (rate, rate), 2_000, 400, 25)
    shown = np.abs(z) > z_needed(units, alpha=ALPHA, planned_units=PLANNED)
    false_alarms = (shown & (conversions >= MIN_CONVERSIONS)).any(axis=1).mean()
    naive = (np.abs(z) > 1.96).any(axis=1).mean()
    assert false_alarms <= ALPHA
    assert naive > 0.3  # what looking at a fixed-sample test would have claimed


def test_a_real_difference_is_found_in_time():
    z, _, units = z_scores(np.random.default_rng(8), (0.05, 0.08), 500, 400, 25)
    shown = np.abs(z) > z_needed(units, alpha=ALPHA, planned_units=PLANNED)
    assert shown.any(axis=1).mean() > 0.95
    assert np.median(shown.argmax(axis=1)) * 25 < 5_000  # units per arm


def test_the_comparison_is_the_same_rule_that_was_simulated():
    rng = np.random.default_rng(9)
    for _ in range(200):
        n = rng.integers(200, 5_000, size=2)
        x = rng.binomial(n, rng.uniform(0.02, 0.2, size=2))
        told = difference(
            (int(x[0]), int(n[0])), (int(x[1]), int(n[1])), alpha=ALPHA, planned_units=PLANNED
        )
        smoothed = (x + 0.5) / (n + 1)
        error = np.sqrt((smoothed * (1 - smoothed) / n).sum())
        needed = z_needed(n.sum(), alpha=ALPHA, planned_units=PLANNED)
        is_shown = abs(told.estimate) / error > needed
        assert is_shown == (told.p_value < ALPHA) == (told.low > 0 or told.high < 0)
        assert told.high - told.estimate == pytest.approx(error * needed)


def test_too_few_conversions_say_nothing():
    assert difference((0, 500), (19, 500), alpha=ALPHA, planned_units=PLANNED) is None
    assert difference((0, 0), (30, 500), alpha=ALPHA, planned_units=PLANNED) is None
    assert difference((0, 500), (40, 500), alpha=ALPHA, planned_units=PLANNED).p_value < 0.01


def test_a_rates_interval_covers_at_all_looks_at_once():
    rate, n_trials, looks = 0.04, 300, [*range(1, 40), *range(40, 2_000, 40)]
    outcomes = np.random.default_rng(3).random((n_trials, looks[-1])) < rate
    converted = outcomes.cumsum(axis=1)
    missed = 0
    for trial in range(n_trials):
        intervals = [rate_interval(int(converted[trial, n - 1]), n, ALPHA) for n in looks]
        missed += any(not low <= rate <= high for low, high in intervals)
    assert missed / n_trials <= ALPHA


def test_intervals_at_the_ends():
    assert rate_interval(0, 0, ALPHA) == (0.0, 1.0)
    low, high = rate_interval(0, 100, ALPHA)
    assert low == 0.0
    assert 0.05 < high < 0.12
    low, high = rate_interval(100, 100, ALPHA)
    assert high == 1.0
    assert 0.88 < low < 0.95
    assert rate_interval(1, 1, ALPHA)[1] == 1.0


def test_by_hand():
    """10,000 units an arm, 5% against 6%, rho^2 from the paper's appendix for 20,000."""
    told = difference((500, 10_000), (600, 10_000), alpha=0.05, planned_units=20_000)
    rho_squared = (2 * np.log(20) + np.log(2 * np.log(20) + 1)) / 20_000
    spread = 20_000 * rho_squared
    p = np.array([500.5, 600.5]) / 10_001
    variance = (p * (1 - p)).sum() / 10_000
    evidence = np.exp(0.01**2 / variance * spread / (spread + 1) / 2) / np.sqrt(spread + 1)
    assert told.estimate == pytest.approx(0.01)
    assert told.p_value == pytest.approx(1 / evidence)
