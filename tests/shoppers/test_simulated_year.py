"""The simulated year as arrays: who buys what when, and that trendiness matters."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from shoppers.simulation.stock import spread_over_stores
from shoppers.simulation.world import (
    Catalogue,
    SimulationSettings,
    mean_popularity_by_third,
    simulate_world,
)
from shoppers.simulation.year import Schedule, draw_schedule, simulate_year

WOMEN, MEN, UNISEX = 0, 1, 2
COMPATIBLE = {WOMEN: (WOMEN, UNISEX), MEN: (MEN, UNISEX), UNISEX: (WOMEN, MEN, UNISEX)}


def catalogue_of(n_products, seed=5):
    rng = np.random.default_rng(seed)
    return Catalogue(
        product_id=np.arange(n_products),
        gender=rng.integers(3, size=n_products),
        category=rng.integers(6, size=n_products),
        base=np.zeros(n_products, dtype=int),
        has_real_base=np.zeros(n_products, dtype=bool),
        counted=np.zeros(n_products, dtype=int),
        has_real_stock=np.zeros(n_products, dtype=bool),
    )


def year_of(n_shoppers=2000, n_products=200, trendiness=None, max_purchases=5, seed=3):
    rng = np.random.default_rng(seed)
    if trendiness is None:
        trendiness = rng.random(n_shoppers)
    n_wanted = rng.integers(1, max_purchases + 1, size=len(trendiness))
    gender = rng.integers(3, size=n_products)
    popularity = rng.integers(101, size=n_products)
    year = simulate_year(
        rng,
        schedule=draw_schedule(rng, n_wanted, 2025),
        trendiness=trendiness,
        gender=gender,
        popularity=popularity,
        compatible=COMPATIBLE,
    )
    return year, trendiness, gender, popularity


def rise_with_trendiness(year, trendiness):
    """Mean NormPop in five bins of t, and its correlation with t, first purchases left out."""
    later = ~year.is_first
    t, popularity = trendiness[year.shopper[later]], year.normalized_popularity[later]
    bins = [popularity[(t * 5).astype(int) == number].mean() for number in range(5)]
    return np.diff(bins), np.corrcoef(t, popularity)[0, 1]


def test_the_popularity_of_what_is_bought_rises_with_trendiness():
    year, trendiness, _, _ = year_of(n_shoppers=5000)
    steps, correlation = rise_with_trendiness(year, trendiness)
    assert (steps > 0.02).all()
    assert correlation > 0.2


def test_popularity_would_not_rise_if_trendiness_were_ignored():
    claimed = np.random.default_rng(8).random(5000)
    year, _, _, _ = year_of(trendiness=np.full(5000, 0.5))
    steps, correlation = rise_with_trendiness(year, claimed)
    assert not (steps > 0.02).all()
    assert abs(correlation) < 0.05


def chi_square_of(year, trendiness, gender, popularity, growth=1):
    """The p-value of all later purchases together under the naive oracle.

    Before each purchase the oracle works out every product's probability from the whole history;
    the statistic compares how often each product was bought, by shoppers with a low and with a
    high t, with the sums of these.
    """
    popularity, bought = popularity.copy(), {}
    observed, expected = np.zeros((2, 2, len(gender)))
    for event, (shopper, product) in enumerate(zip(year.shopper, year.product, strict=True)):
        basket = bought.setdefault(int(shopper), [])
        if not year.is_first[event]:
            allowed = np.isin(gender, COMPATIBLE[gender[basket[0]]])
            allowed[basket] = False
            follow, avoid = popularity * allowed, (popularity.max() - popularity) * allowed
            t = trendiness[shopper]
            half = int(t >= 0.5)
            observed[half, product] += 1
            expected[half] += t * follow / follow.sum() + (1 - t) * avoid / avoid.sum()
        basket.append(int(product))
        popularity[product] += growth
    return chi2.sf(((observed - expected) ** 2 / expected).sum(), 2 * (len(gender) - 1))


def test_later_purchases_have_the_probabilities_of_the_naive_oracle():
    year, trendiness, gender, popularity = year_of(n_shoppers=4000, n_products=24, max_purchases=4)
    assert chi_square_of(year, trendiness, gender, popularity) > 0.01
    # The test has power: other rules fail it.
    assert chi_square_of(year, 1 - trendiness, gender, popularity) < 1e-6
    assert chi_square_of(year, trendiness, gender, popularity, growth=0) < 1e-6


def test_first_purchases_are_uniform_over_the_catalogue_whatever_its_popularity():
    year, _, _, _ = year_of(n_shoppers=20_000, n_products=40, max_purchases=1)
    counts = np.bincount(year.product, minlength=40)
    assert chi2.sf(((counts - 500) ** 2 / 500).sum(), 39) > 0.01


def test_normalized_popularity_is_that_before_the_purchase_counts():
    year, _, _, popularity = year_of(n_shoppers=300, n_products=20)
    for product, normalized in zip(year.product, year.normalized_popularity, strict=True):
        low, high = popularity.min(), popularity.max()
        assert normalized == pytest.approx((popularity[product] - low) / (high - low))
        popularity[product] += 1


def test_the_first_product_fixes_the_gender_and_the_rest_is_compatible():
    year, trendiness, gender, _ = year_of()
    first = dict(zip(year.shopper[year.is_first], year.product[year.is_first], strict=True))
    assert len(first) == len(trendiness)
    for shopper, product in zip(year.shopper, year.product, strict=True):
        assert year.gender[shopper] == gender[first[shopper]]
        assert gender[product] in COMPATIBLE[year.gender[shopper]]


def test_nobody_buys_a_product_twice_and_who_has_all_buys_no_more():
    year, trendiness, gender, _ = year_of(n_shoppers=200, n_products=9, max_purchases=30)
    pairs = set(zip(year.shopper.tolist(), year.product.tolist(), strict=True))
    assert len(pairs) == len(year.product)
    most = {code: np.isin(gender, COMPATIBLE[code]).sum() for code in COMPATIBLE}
    per_shopper = np.bincount(year.shopper, minlength=len(trendiness))
    assert all(n <= most[code] for n, code in zip(per_shopper, year.gender, strict=True))
    assert (per_shopper == [most[code] for code in year.gender]).any()


def test_a_catalogue_of_one_product_is_bought_once_by_each():
    year = simulate_year(
        np.random.default_rng(1),
        schedule=draw_schedule(np.random.default_rng(1), np.array([3, 1, 2]), 2025),
        trendiness=np.array([0.0, 0.5, 1.0]),
        gender=np.array([UNISEX]),
        popularity=np.array([0]),
        compatible=COMPATIBLE,
    )
    assert sorted(year.shopper) == [0, 1, 2]
    assert year.normalized_popularity.tolist() == [0, 0, 0]


def test_a_schedule_is_chronological_and_uniform_over_the_year():
    n_wanted = np.random.default_rng(2).integers(1, 6, size=4000)
    schedule = draw_schedule(np.random.default_rng(2), n_wanted, 2024)
    assert (np.diff(schedule.instant) >= np.timedelta64(0, "s")).all()
    assert np.bincount(schedule.shopper).tolist() == n_wanted.tolist()
    assert schedule.is_first.sum() == 4000
    second = (schedule.instant - np.datetime64("2024-01-01", "s")).astype(int)
    assert second.min() >= 0
    assert kstest(second, "uniform", args=(0, 366 * 86_400)).pvalue > 0.01  # a leap year


def test_the_first_purchase_in_a_schedule_is_each_shoppers_earliest():
    schedule = draw_schedule(np.random.default_rng(4), np.array([3, 4, 5]), 2025)
    for shopper in range(3):
        mine = schedule.is_first[schedule.shopper == shopper]
        assert mine.tolist() == [True] + [False] * (len(mine) - 1)


def test_progress_ends_with_what_was_planned():
    reports = []
    shopper = np.arange(20_000)
    schedule = Schedule(shopper, np.zeros(20_000, dtype="datetime64[s]"), shopper >= 0)
    simulate_year(
        np.random.default_rng(1),
        schedule=schedule,
        trendiness=np.zeros(20_000),
        gender=np.array([UNISEX]),
        popularity=np.array([1]),
        compatible=COMPATIBLE,
        on_progress=lambda *report: reports.append(report),
    )
    assert reports == [(10_000, 20_000), (20_000, 20_000)]


@pytest.mark.parametrize("stores_per_product", [1, 3])
def test_products_are_spread_evenly_over_stores_within_each_category(stores_per_product):
    category = np.random.default_rng(1).choice(4, size=203, p=[0.6, 0.3, 0.08, 0.02])
    stores = spread_over_stores(np.random.default_rng(2), category, 7, stores_per_product)
    assert stores.shape == (203, stores_per_product)
    assert all(len(set(row)) == stores_per_product for row in stores.tolist())
    for code in range(4):
        per_store = np.bincount(stores[category == code].ravel(), minlength=7)
        assert np.ptp(per_store) <= 1
    assert np.ptp(np.bincount(stores.ravel(), minlength=7)) <= 1


def test_which_products_share_a_store_is_random():
    category = np.zeros(100, dtype=int)
    one, other = (spread_over_stores(np.random.default_rng(s), category, 5, 1) for s in (1, 2))
    assert (one != other).any()
    assert (np.diff(one[:, 0]) != 1).any()


def test_the_same_seed_gives_the_same_world_and_another_one_another():
    catalogue = catalogue_of(80)
    worlds = [
        simulate_world(SimulationSettings(seed=seed), catalogue, compatible=COMPATIBLE)
        for seed in (1, 1, 2)
    ]
    purchases = [(w.year.shopper.tolist(), w.year.product.tolist()) for w in worlds]
    assert purchases[0] == purchases[1] != purchases[2]
    assert worlds[0].stores_at[0].tolist() == worlds[1].stores_at[0].tolist()


def test_more_stores_change_no_purchase():
    catalogue = catalogue_of(80)
    few, many = (
        simulate_world(SimulationSettings(n_stores=n), catalogue, compatible=COMPATIBLE)
        for n in (2, 20)
    )
    assert few.year.product.tolist() == many.year.product.tolist()
    assert few.shoppers_at[0].tolist() == many.shoppers_at[0].tolist()


def test_base_popularity_covers_0_to_100_and_real_ones_stay():
    catalogue = catalogue_of(5000)
    real = np.zeros(5000, dtype=bool)
    real[:3] = True
    catalogue = replace(catalogue, base=np.where(real, 777, 0), has_real_base=real)
    base = simulate_world(SimulationSettings(), catalogue, compatible=COMPATIBLE).base
    assert base[:3].tolist() == [777] * 3
    counts = np.bincount(base[3:])
    assert len(counts) == 101
    assert chi2.sf(((counts - 4997 / 101) ** 2 / (4997 / 101)).sum(), 100) > 0.01


def test_shoppers_want_between_one_and_the_maximum_purchases_alike():
    world = simulate_world(
        SimulationSettings(n_shoppers=6000), catalogue_of(500), compatible=COMPATIBLE
    )
    counts = np.bincount(np.bincount(world.year.shopper), minlength=6)[1:]
    assert chi2.sf(((counts - 1200) ** 2 / 1200).sum(), 4) > 0.01
    assert kstest(world.trendiness, "uniform").pvalue > 0.01


def test_the_mean_by_thirds_leaves_out_first_purchases():
    world = simulate_world(SimulationSettings(), catalogue_of(50), compatible=COMPATIBLE)
    year = replace(
        world.year,
        shopper=np.array([0, 0, 1, 1, 2, 0]),
        is_first=np.array([True, False, True, False, True, False]),
        normalized_popularity=np.array([0.9, 0.1, 0.9, 1.0, 0.9, 0.3]),
    )
    world = replace(world, year=year, trendiness=np.array([0.2, 1.0, 0.5]))
    assert mean_popularity_by_third(world) == (pytest.approx(0.2), None, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_shoppers": 0}, "--shoppers must be at least 1, not 0."),
        ({"max_purchases": 0}, "--max-purchases must be at least 1, not 0."),
        ({"n_stores": -1}, "--stores must be at least 1, not -1."),
        ({"stores_per_product": 0}, "--stores-per-product must be at least 1, not 0."),
        (
            {"stores_per_product": 6},
            "--stores-per-product 6 needs as many stores, and there are 5; "
            "raise --stores or lower it.",
        ),
        ({"year": 1969}, "--year must be from 1970 to 9998, not 1969."),
        ({"year": 9999}, "--year must be from 1970 to 9998, not 9999."),
        ({"seed": -1}, "--seed must be 0 or more, not -1."),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ValueError) as refusal:
        SimulationSettings(**options)
    assert str(refusal.value) == message
