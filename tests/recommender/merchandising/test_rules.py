"""Rules: one per product and scope at a time, kept by the database, changed as a whole."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from recommender.merchandising import services
from recommender.merchandising.models import MerchandisingRule
from recommender.merchandising.services import MerchandisingError, boost, bury, end_rules, pin
from tests.factories import CategoryFactory, ProductFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


def rule(**values) -> MerchandisingRule:
    return MerchandisingRule(**{"product": ProductFactory(), "starts_at": NOW} | values)


def holding(at) -> list[tuple]:
    rows = MerchandisingRule.objects.holding(at).order_by("product", "position")
    return list(rows.values_list("product", "boost", "position"))


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({}, "rule_boosts_or_pins"),
        ({"boost": 0.1, "position": 1}, "rule_boosts_or_pins"),
        ({"boost": 0.0}, "rule_boost_in_range"),
        ({"boost": 2.1}, "rule_boost_in_range"),
        ({"boost": float("nan")}, "rule_boost_in_range"),
        ({"position": 0}, "rule_position_in_range"),
        ({"position": 101}, "rule_position_in_range"),
        ({"boost": 0.1, "ends_at": NOW}, "rule_ends_after_start"),
    ],
)
def test_the_database_refuses_what_is_no_rule(values, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        rule(**values).save()


def test_one_boost_of_a_product_in_a_scope_at_a_time():
    first = rule(boost=0.1, ends_at=NOW + DAY)
    first.save()
    same = {"product": first.product, "boost": -0.2}
    for starts_at in (NOW, NOW + DAY / 2, NOW - DAY):
        overlapping = rule(**same, starts_at=starts_at)
        with pytest.raises(ValidationError, match="boosted or buried there at that time already"):
            overlapping.full_clean()
        with pytest.raises(IntegrityError, match="one_boost"), transaction.atomic():
            overlapping.save()
    allowed = [
        {"starts_at": NOW + DAY},
        {"starts_at": NOW - DAY, "ends_at": NOW},
        {"category": CategoryFactory()},
        {"boost": None, "position": 1},
        {"product": ProductFactory()},
    ]
    for changes in allowed:
        other = rule(**same | changes)
        other.full_clean()
        other.save()


def test_one_product_at_a_position_and_one_position_of_a_product():
    first = rule(position=1)
    first.save()
    for values in ({"position": 1}, {"product": first.product, "position": 2}):
        with pytest.raises(ValidationError, match="at that time already"):
            rule(**values).full_clean()
        with pytest.raises(IntegrityError, match="one_pin"), transaction.atomic():
            rule(**values).save()
    rule(position=2).save()
    rule(position=1, category=CategoryFactory()).save()


def test_a_boost_takes_the_place_of_an_earlier_one_and_gives_it_back():
    product, other = ProductFactory(), ProductFactory()
    boost(products=[product, product, other], amount=0.3, starts_at=NOW - DAY, note="stock")
    bury(products=[product], amount=0.5, starts_at=NOW, ends_at=NOW + DAY)

    both = [(product.pk, 0.3, None), (other.pk, 0.3, None)]
    assert holding(NOW - DAY) == both
    assert holding(NOW) == [(product.pk, -0.5, None), (other.pk, 0.3, None)]
    assert holding(NOW + DAY) == both
    assert MerchandisingRule.objects.latest("starts_at").note == "stock"
    kinds = MerchandisingRule.objects
    assert [q.count() for q in (kinds.boosts(), kinds.buries(), kinds.pins())] == [3, 1, 0]


def test_a_pin_moves_and_takes_the_place_of_another():
    here, there = ProductFactory(), ProductFactory()
    pin(product=here, position=1, starts_at=NOW - DAY)
    pin(product=there, position=2, starts_at=NOW - DAY)
    pin(product=here, position=2, starts_at=NOW)
    assert holding(NOW) == [(here.pk, None, 2)]
    boost(products=[here], amount=1, starts_at=NOW)
    assert holding(NOW) == [(here.pk, None, 2), (here.pk, 1.0, None)]


def test_ending_is_kept_and_what_never_began_is_gone():
    begun = pin(product=ProductFactory(), position=1, starts_at=NOW - DAY)
    waiting = pin(product=ProductFactory(), position=2, starts_at=NOW + DAY)
    over = pin(product=ProductFactory(), position=3, starts_at=NOW - 2 * DAY, ends_at=NOW - DAY)

    assert end_rules(rules=MerchandisingRule.objects.all(), now=NOW) == 2

    begun.refresh_from_db()
    over.refresh_from_db()
    assert (begun.ends_at, over.ends_at) == (NOW, NOW - DAY)
    assert not MerchandisingRule.objects.filter(pk=waiting.pk).exists()
    assert [h.history_type for h in begun.history.all()] == ["~", "+"]
    assert end_rules(rules=MerchandisingRule.objects.all(), now=NOW) == 0


@pytest.mark.parametrize("amount", [0, -0.1, 2.5, float("nan"), float("inf")])
def test_amounts_that_are_none_change_nothing(amount):
    product = ProductFactory()
    for change in (boost, bury):
        with pytest.raises(MerchandisingError):
            change(products=[product], amount=amount)
    assert not MerchandisingRule.objects.exists()


def test_dates_and_positions_that_make_no_sense():
    product = ProductFactory()
    with pytest.raises(MerchandisingError, match=r"A rule ends after it starts\."):
        boost(products=[product], amount=0.1, starts_at=NOW, ends_at=NOW - DAY)
    with pytest.raises(MerchandisingError, match="less than or equal to 100"):
        pin(product=product, position=101)


def test_too_many_rules_are_refused_as_a_whole(monkeypatch):
    monkeypatch.setattr(services, "MAX_RULES", 3)
    products = [ProductFactory() for _ in range(3)]
    boost(products=products[:2], amount=0.1)
    with pytest.raises(MerchandisingError, match="at most 3 rules may hold or wait; these would m"):
        bury(products=products[1:], amount=0.1, category=CategoryFactory())
    bury(products=products, amount=0.1)  # takes the place of two
    assert MerchandisingRule.objects.holding(timezone.now()).count() == 3


def test_who_changed_what_is_kept(client, rf):
    from simple_history.models import HistoricalRecords

    request = rf.post("/")
    request.user = User.objects.create_user("curator")
    HistoricalRecords.context.request = request
    try:
        (made,) = boost(products=[ProductFactory()], amount=0.2)
    finally:
        del HistoricalRecords.context.request
    assert made.history.get().history_user == request.user
