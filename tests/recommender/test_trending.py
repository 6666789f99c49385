"""What rises: a window against the one before, with hand-computed discounts."""

from datetime import UTC, datetime, timedelta

import pytest

from recommender.trending import rising_products
from tests.factories import CategoryFactory, ProductFactory, PurchaseFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def buy(product, *days_ago: float) -> None:
    for days in days_ago:
        PurchaseFactory(product=product, purchased_at=NOW - timedelta(days=days))


def rising(**options):
    options = {"window_days": 7, "half_life_days": 7.0, "now": NOW, "n": 10} | options
    return [
        (r.product_id, pytest.approx(r.rise, abs=1e-6), r.n_recent, r.n_before)
        for r in rising_products(**options)
    ]


def test_recent_purchases_count_by_age_less_those_of_the_window_before():
    new, steady, falling, up = ProductFactory.create_batch(4)
    buy(new, 0)  # 1, and it is the latest purchase: the window ends there
    buy(steady, 3.5, 10.5)  # half-way in both windows: 2 ** -.5 each
    buy(falling, 3.5, 8, 9)
    buy(up, 1, 2, 13)
    rise_of_up = 2 ** (-1 / 7) + 2 ** (-2 / 7) - 2 ** (-6 / 7)
    assert rising() == [(up.pk, rise_of_up, 2, 1), (new.pk, 1.0, 1, 0)]


def test_a_short_half_life_prefers_what_sold_last():
    long_ago, now = ProductFactory.create_batch(2)
    buy(long_ago, 5, 5.5, 6)
    buy(now, 0, 0.1)
    assert [row[0] for row in rising(half_life_days=365.0)] == [long_ago.pk, now.pk]
    assert [row[0] for row in rising(half_life_days=1.0)] == [now.pk, long_ago.pk]


def test_the_window_ends_at_the_latest_purchase_and_never_after_now():
    product, later = ProductFactory.create_batch(2)
    buy(product, 100, 101)
    buy(later, -1)  # tomorrow
    assert [row[0] for row in rising()] == [product.pk]


def test_genders_categories_and_exclusions_narrow():
    dress = CategoryFactory(name="Dresses")
    hers = ProductFactory(gender="WOMEN", category=dress)
    his = ProductFactory(gender="MEN")
    gone = ProductFactory(is_active=False)
    for product in (hers, his, gone):
        buy(product, 0)
    assert [row[0] for row in rising()] == [hers.pk, his.pk]  # ties: the smaller key
    assert [row[0] for row in rising(n=1)] == [hers.pk]
    assert [row[0] for row in rising(genders=["MEN"])] == [his.pk]
    assert [row[0] for row in rising(category_ids=[dress.pk])] == [hers.pk]
    assert [row[0] for row in rising(excluded=[hers.pk])] == [his.pk]


def test_the_shortest_half_life_of_the_longest_window_still_has_numbers():
    product = ProductFactory()
    buy(product, 0, 59.9)
    assert rising(window_days=30, half_life_days=0.1) == [(product.pk, 1.0, 1, 1)]


def test_nothing_rises_without_purchases():
    ProductFactory()
    assert rising() == []


@pytest.mark.parametrize("half_life_days", [0, 0.09, -1, 366, float("nan"), float("inf")])
def test_a_half_life_must_be_one(half_life_days):
    with pytest.raises(ValueError, match=r"halfLifeDays must be from 0\.1 to 365; got"):
        rising(half_life_days=half_life_days)
