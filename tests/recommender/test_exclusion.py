"""What is left out for what somebody did with it, and since when."""

from datetime import timedelta

import pytest

from recommender.history import Exclusion
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from shoppers.models import Event, Purchase
from tests.recommender.worlds import START, make_world

pytestmark = pytest.mark.django_db
NAMES = [f"item {n}" for n in range(8)]


@pytest.fixture
def ann():
    """Bought items 0 (January 1) and 1 (January 2), viewed 2, sent 3 back, dismissed 4."""
    world = make_world()
    for n, name in enumerate(NAMES):
        world.add(name, (1, n / 10, 0))
    shopper = world.shopper("item 0", "item 1")
    for name, kind in (("item 2", "view"), ("item 3", "return"), ("item 4", "dismissal")):
        Event.objects.create(
            shopper=shopper, product=world.products[name], kind=kind, occurred_at=START
        )
    return shopper


def items(shopper, k=8, **exclusion):
    settings = RankingSettings.from_profile(default_profile()).with_changes(k=k)
    answer = recommend(shopper=shopper, settings=settings, exclusion=Exclusion(**exclusion))
    for rail in answer.rails:
        assert rail.because.product not in [item.product for item in rail.items]
    return sorted(item.product.item_id for item in answer.items)


@pytest.mark.parametrize(
    ("exclusion", "gone"),
    [
        ({}, {0, 1, 3, 4}),
        ({"seen": True}, {0, 1, 2, 3, 4}),
        ({"bought": False}, {3, 4}),
        ({"returned": False}, {0, 1, 4}),
        ({"dismissed": False}, {0, 1, 3}),
        ({"since": START + timedelta(hours=12)}, {1}),
        ({"since": START + timedelta(hours=12), "seen": True}, {1}),
        ({"since": START, "seen": True, "returned": False}, {0, 1, 2, 4}),
    ],
)
def test_what_is_left_out(ann, exclusion, gone):
    assert items(ann, **exclusion) == [n for i, n in enumerate(NAMES) if i not in gone]


def test_what_an_earlier_set_showed_is_seen_and_k_are_found_still(ann):
    first = items(ann, k=1)
    second = items(ann, k=1, seen=True)
    third = items(ann, k=1, seen=True)
    assert len(first) == len(second) == len(third) == 1
    assert len({*first, *second, *third}) == 3
    assert "item 2" not in second + third  # viewed


def test_a_rail_is_full_although_its_own_product_may_come_back(ann):
    settings = RankingSettings.from_profile(default_profile()).with_changes(k=5)
    free = Exclusion(bought=False, returned=False, dismissed=False)
    answer = recommend(shopper=ann, settings=settings, exclusion=free)
    assert [len(rail.items) for rail in answer.rails] == [5, 5]
    first, second = answer.rails
    assert second.because.product in [item.product for item in first.items]


def test_who_bought_nothing_is_known_by_what_they_looked_at_and_did_not_dismiss(ann):
    Purchase.objects.all().delete()
    dismissed = Event.objects.get(kind="dismissal").product
    Event.objects.create(shopper=ann, product=dismissed, kind="view", occurred_at=START)
    settings = RankingSettings.from_profile(default_profile())
    answer = recommend(shopper=ann, settings=settings)
    assert [(r.because.kind, r.because.product.item_id) for r in answer.rails] == [
        ("view", "item 2")
    ]
