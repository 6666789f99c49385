"""The weighted draws, against plain sums and numpy's own choice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from shoppers.simulation.draw import (
    BY_POPULARITY,
    UNIFORM,
    Popularity,
    PopularityTree,
    by_unpopularity,
)

WOMEN, MEN, UNISEX = 0, 1, 2
ALL = (WOMEN, MEN, UNISEX)


def expected_shares(popularity, allowed, rule):
    """The naive oracle: weights as an array over the whole catalogue."""
    weights = {
        "popularity": popularity,
        "unpopularity": popularity.max() - popularity,
        "uniform": np.ones_like(popularity),
    }[rule] * allowed
    if weights.sum() == 0:
        weights = allowed.astype(int)
    return weights / weights.sum()


def weighting_of(market, rule):
    return {
        "popularity": BY_POPULARITY,
        "unpopularity": by_unpopularity(market.highest),
        "uniform": UNIFORM,
    }[rule]


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=40),
    st.lists(st.integers(0, 39), max_size=30),
    st.sampled_from(["popularity", "unpopularity", "uniform"]),
)
def test_every_target_finds_the_product_at_which_the_running_sum_passes_it(
    popularity, purchases, rule
):
    tree = PopularityTree(np.array(popularity))
    for purchase in purchases:
        tree.add_one(purchase % len(popularity))
        popularity[purchase % len(popularity)] += 1
    highest = max(popularity)
    weighting = {
        "popularity": BY_POPULARITY,
        "unpopularity": by_unpopularity(highest),
        "uniform": UNIFORM,
    }[rule]
    weights = [weighting.per_product + weighting.per_popularity * p for p in popularity]
    expected = [position for position, weight in enumerate(weights) for _ in range(weight)]
    assert [tree.find(target, weighting) for target in range(sum(weights))] == expected
    assert [tree.popularity_before(n) for n in range(len(popularity) + 1)] == [
        sum(popularity[:n]) for n in range(len(popularity) + 1)
    ]


@given(
    st.lists(st.tuples(st.sampled_from(ALL), st.integers(0, 5)), min_size=1, max_size=12),
    st.sets(st.integers(0, 11), max_size=4),
    st.sampled_from([(WOMEN, UNISEX), (MEN, UNISEX), ALL]),
    st.sampled_from(["popularity", "unpopularity", "uniform"]),
)
def test_an_even_grid_of_random_numbers_gives_each_product_exactly_its_share(
    products, bought, genders, rule
):
    gender, popularity = (np.array(column) for column in zip(*products, strict=True))
    bought = [product for product in bought if product < len(products)]
    allowed = np.isin(gender, genders) & ~np.isin(np.arange(len(products)), bought)
    market = Popularity(gender, popularity)
    if not allowed.any():
        assert market.draw(genders, bought, weighting_of(market, rule), 0.5) is None
        return
    shares = expected_shares(popularity, allowed, rule)
    n_steps = round(1 / shares[shares > 0].min()) * 60  # a multiple of most sums; see the tolerance
    drawn = [
        market.draw(genders, bought, weighting_of(market, rule), (step + 0.5) / n_steps)
        for step in range(n_steps)
    ]
    counts = np.bincount(drawn, minlength=len(products))
    assert np.abs(counts - shares * n_steps).max() <= 1  # where a share ends between two steps
    assert not counts[~allowed].any()


@pytest.mark.parametrize("rule", ["popularity", "unpopularity"])
def test_draws_agree_with_naive_shares_in_a_chi_square_test(rule):
    rng = np.random.default_rng(11)
    gender = rng.integers(3, size=60)
    popularity = rng.integers(101, size=60)
    market = Popularity(gender, popularity)
    for product in rng.integers(60, size=500).tolist():
        market.buy(product)
        popularity[product] += 1
    bought = np.flatnonzero(gender != MEN)[:3].tolist()
    allowed = (gender != MEN) & ~np.isin(np.arange(60), bought)
    shares = expected_shares(popularity, allowed, rule)
    drawn = [
        market.draw((WOMEN, UNISEX), bought, weighting_of(market, rule), number)
        for number in rng.random(30_000)
    ]
    counts = np.bincount(drawn, minlength=60)
    possible = shares > 0
    assert not counts[~possible].any()
    assert chisquare(counts[possible], 30_000 * shares[possible]).pvalue > 0.01
    other = expected_shares(popularity, allowed, "uniform")
    assert chisquare(counts[allowed], 30_000 * other[allowed]).pvalue < 1e-6


@pytest.mark.parametrize("popularity", [[0, 0, 0, 0], [7, 7, 7, 7]])
@pytest.mark.parametrize("rule", ["popularity", "unpopularity"])
def test_products_come_alike_where_every_weight_is_zero_or_equal(popularity, rule):
    market = Popularity(np.zeros(4, dtype=int), np.array(popularity))
    drawn = [
        market.draw((WOMEN,), [2], weighting_of(market, rule), (step + 0.5) / 30)
        for step in range(30)
    ]
    assert np.bincount(drawn, minlength=4).tolist() == [10, 10, 0, 10]


def test_a_gender_that_the_catalogue_lacks_is_no_obstacle():
    market = Popularity(np.array([MEN, MEN]), np.array([1, 3]))
    assert market.draw((WOMEN, UNISEX), [], BY_POPULARITY, 0.5) is None
    assert market.draw(ALL, [1], BY_POPULARITY, 0.999) == 0


def test_normalized_popularity_follows_purchases_and_the_lowest_and_highest():
    market = Popularity(np.zeros(3, dtype=int), np.array([0, 2, 4]))
    assert [market.normalized(product) for product in range(3)] == [0, 0.5, 1]
    market.buy(0)
    assert market.lowest == 1
    market.buy(2)
    assert [market.normalized(product) for product in range(3)] == [0, 0.25, 1]


def test_normalized_popularity_is_zero_where_all_are_equal():
    market = Popularity(np.zeros(2, dtype=int), np.array([3, 3]))
    assert [market.normalized(0), market.normalized(1)] == [0, 0]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=8),
    st.lists(st.integers(0, 7), max_size=60),
)
def test_lowest_and_highest_are_those_of_the_current_popularity(popularity, purchases):
    market = Popularity(np.zeros(len(popularity), dtype=int), np.array(popularity))
    for purchase in purchases:
        market.buy(purchase % len(popularity))
        popularity[purchase % len(popularity)] += 1
        assert (market.lowest, market.highest) == (min(popularity), max(popularity))
