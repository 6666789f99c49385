"""Events are stored once, purchases and popularity move with them, sessions merge at login."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from shoppers.events import EventsRefused, NewEvent, Problem, RecordedEvents, record_events
from shoppers.models import AnonymousSession, Event, ProductPopularity, Purchase, Shopper
from shoppers.services import rebuild_popularity
from shoppers.sessions import hashed, merge_session
from tests.factories import ProductFactory, PurchaseFactory, ShopperFactory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOKEN = "a token of somebody"
SET = UUID("00000000-0000-4000-8000-000000000001")


def event(kind="view", item_id="shirt", key="k1", minutes=0, **fields):
    if "session_token" not in fields:
        fields.setdefault("shopper", "ann")
    at = NOON + timedelta(minutes=minutes)
    return NewEvent(Event.Kind(kind), item_id, key, at, **fields)


def record(*events, now=NOON + timedelta(days=1)):
    return record_events(events=events, now=now)


def refusal(*events, **options):
    with pytest.raises(EventsRefused) as refused:
        record(*events, **options)
    return refused.value.problems


def counted(item_id="shirt"):
    return ProductPopularity.objects.get(product__item_id=item_id).counted


@pytest.fixture
def shirt(db):
    return ProductFactory(item_id="shirt")


def test_an_event_is_stored_with_all_that_it_says(shirt):
    assert record(event(recommendation_id=SET)) == RecordedEvents(1, 0)
    (row,) = Event.objects.all()
    assert (row.shopper.external_id, row.session, row.product) == ("ann", None, shirt)
    assert (row.kind, row.key, row.occurred_at, row.recommendation_id) == ("view", "k1", NOON, SET)
    assert row.received_at == NOON + timedelta(days=1)


def test_a_repeated_call_changes_nothing(shirt):
    events = [event("purchase"), event("view", key="k2")]
    assert record(*events) == RecordedEvents(2, 0)
    assert record(*events) == RecordedEvents(0, 2)
    assert record(*events, event("cart", key="k3")) == RecordedEvents(1, 2)
    assert (Event.objects.count(), Purchase.objects.count(), counted()) == (3, 1, 1)


def test_the_same_key_twice_in_one_call_is_one_event(shirt):
    assert record(event("purchase"), event("purchase")) == RecordedEvents(1, 1)
    assert counted() == 1


def test_two_shoppers_may_use_the_same_key(shirt):
    assert record(event(), event(shopper="bea")) == RecordedEvents(2, 0)


def test_a_key_that_came_with_other_content_is_refused(shirt):
    record(event("view"))
    assert refusal(event("cart", key="new"), event("purchase")) == [
        Problem(1, "key", "'k1' is the key of another event: view, not purchase", True)
    ]
    assert (Event.objects.count(), Purchase.objects.count()) == (1, 0)


def test_a_purchase_makes_a_row_and_counts(shirt):
    record(event("purchase"))
    (purchase,) = Purchase.objects.all()
    assert (purchase.shopper.external_id, purchase.product) == ("ann", shirt)
    assert purchase.purchased_at == NOON
    assert counted() == 1


def test_a_purchase_that_an_import_brought_before_is_counted_once(shirt):
    PurchaseFactory(shopper=ShopperFactory(external_id="ann"), product=shirt, purchased_at=NOON)
    assert record(event("purchase")) == RecordedEvents(1, 0)
    assert (Purchase.objects.count(), counted()) == (1, 1)


def test_a_return_takes_the_oldest_purchase_back(shirt):
    record(event("purchase", key="p1"), event("purchase", key="p2", minutes=5))
    assert counted() == 2
    record(event("return", key="r1", minutes=9))
    assert Purchase.objects.get().purchased_at == NOON + timedelta(minutes=5)
    assert Event.objects.get(key="r1").returned_purchase_at == NOON
    assert counted() == 1


def test_a_purchase_and_its_return_in_one_call_leave_nothing(shirt):
    record(event("return", key="r", minutes=5), event("purchase", key="p"))
    assert (Purchase.objects.count(), counted(), Event.objects.count()) == (0, 0, 2)


@pytest.mark.parametrize("minutes", [None, 5])
def test_a_return_without_a_purchase_before_it_is_refused_and_all_with_it(shirt, minutes):
    if minutes:
        record(event("purchase", key="later", minutes=minutes))
    assert refusal(event("view", key="v"), event("return", key="r")) == [
        Problem(1, "item_id", "no purchase of this product to take back")
    ]
    assert not Event.objects.filter(key__in=["v", "r"]).exists()
    assert counted() == (1 if minutes else 0)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"key": ""}, ("key", "expected 1 to 100 characters")),
        ({"key": "x" * 101}, ("key", "expected 1 to 100 characters")),
        ({"key": "\0"}, ("key", "expected 1 to 100 characters")),
        ({"item_id": "\ud800"}, ("item_id", r"no product '\ud800'")),
        ({"item_id": "hat"}, ("item_id", "no product 'hat'")),
        ({"minutes": 7}, ("occurred_at", "expected a time since 1970 and not to come")),
        ({"minutes": -1e8}, ("occurred_at", "expected a time since 1970 and not to come")),
        ({"shopper": None}, ("shopper", "expected a shopper or a session token, not both")),
        ({"shopper": "a\0"}, ("shopper", "expected 1 to 200 characters")),
        (
            {"session_token": TOKEN, "kind": "purchase"},
            ("kind", "a purchase needs a shopper: log in, or name the shopper"),
        ),
        (
            {"session_token": "short"},
            (
                "session_token",
                "a session token has 16 to 200 characters, such as those of a random UUID; got 5",
            ),
        ),
    ],
)
def test_bad_events_are_named_and_nothing_is_stored(shirt, bad, problem):
    good = event(key="good")
    assert refusal(good, event(**({"key": "bad"} | bad)), now=NOON) == [Problem(1, *problem)]
    assert not Event.objects.exists()
    assert not Shopper.objects.exists()


def test_more_than_a_hundred_events_are_refused(shirt):
    (problem,) = refusal(*[event(key=f"k{n}") for n in range(101)])
    assert problem.message == "at most 100 in one call; got 101: send them in parts"


def test_a_session_keeps_its_events_and_not_its_token(shirt):
    record(event(session_token=TOKEN), event(key="k2", session_token=TOKEN))
    (session,) = AnonymousSession.objects.all()
    assert session.token_sha256 == hashed(TOKEN) != TOKEN
    assert [e.key for e in Event.objects.of(session)] == ["k1", "k2"]


def test_at_login_a_session_becomes_the_shoppers(shirt):
    ann, bea = ShopperFactory(external_id="ann"), ShopperFactory()
    record(event(session_token=TOKEN), event(key="k2", session_token=TOKEN))
    record(event(key="k2"))  # sent again after the login, before the merge
    assert merge_session(token=TOKEN, shopper=ann, now=NOON + timedelta(minutes=1)) == 1
    assert sorted(e.key for e in Event.objects.of(ann)) == ["k1", "k2"]
    assert Event.objects.count() == 2
    assert merge_session(token=TOKEN, shopper=bea, now=NOON) == 0
    assert merge_session(token="never seen before", shopper=bea, now=NOON) == 0


def test_after_the_merge_a_token_is_good_for_what_was_before_it(shirt):
    record(event(session_token=TOKEN))
    ann = ShopperFactory(external_id="ann")
    merge_session(token=TOKEN, shopper=ann, now=NOON + timedelta(minutes=5))
    retried, late = event(session_token=TOKEN), event(key="k2", minutes=4, session_token=TOKEN)
    assert record(retried, late) == RecordedEvents(1, 1)
    assert record(event(key="k2", minutes=4)) == RecordedEvents(0, 1)
    assert Event.objects.of(ann).count() == 2
    (problem,) = refusal(event(key="k3", minutes=6, session_token=TOKEN))
    assert (problem.field, problem.is_conflict) == ("session_token", True)


def test_favourites_stand_until_they_are_taken_back(shirt):
    ProductFactory(item_id="hat")
    record(
        event("favourite", key="1"),
        event("unfavourite", key="2", minutes=1),
        event("favourite", key="3", minutes=2),
        event("favourite", "hat", key="4"),
        event("unfavourite", "hat", key="5", minutes=1),
        event("unfavourite", key="6", minutes=3, shopper="bea"),
    )
    ann = Shopper.objects.get(external_id="ann")
    standing = Event.objects.of(ann).standing_favourites()
    assert [e.product.item_id for e in standing] == ["shirt"]


def in_own_connection(events):
    try:
        return record_events(events=events, now=NOON + timedelta(days=1))
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("owner", [{"shopper": "ann"}, {"session_token": TOKEN}])
def test_one_key_a_hundred_times_in_parallel_is_one_row_and_one_count(owner):
    ProductFactory(item_id="shirt")
    kind = "purchase" if "shopper" in owner else "view"
    with ThreadPoolExecutor(25) as clients:
        answers = list(clients.map(in_own_connection, [[event(kind, **owner)]] * 100, timeout=120))
    assert sorted(answers, key=lambda a: a.n_duplicates) == [
        RecordedEvents(1, 0),
        *[RecordedEvents(0, 1)] * 99,
    ]
    assert Event.objects.count() == 1
    assert counted() == (1 if kind == "purchase" else 0)


@pytest.mark.django_db(transaction=True)
def test_fifty_clients_that_buy_in_opposing_orders_count_exactly():
    """200 purchases each, every call sent twice, and ten of them taken back."""
    items = [f"item {n}" for n in range(20)]
    for item_id in items:
        ProductFactory(item_id=item_id)

    def shop(client):
        order = items if client % 2 else items[::-1]
        bought = [
            event("purchase", item, key=f"{n} {item}", minutes=n, shopper=f"c{client}")
            for item in order
            for n in range(10)
        ]
        back = [event("return", i, key=i, minutes=5, shopper=f"c{client}") for i in order[:10]]
        for call in (bought[:100], bought[:100], bought[100:], bought[:99:-1], back, back):
            in_own_connection(call)

    with ThreadPoolExecutor(50) as clients:
        list(clients.map(shop, range(50), timeout=300))
    assert Event.objects.filter(kind="purchase").count() == 10_000
    assert Purchase.objects.count() == 10_000 - 500
    assert sum(ProductPopularity.objects.values_list("counted", flat=True)) == 9_500
    assert rebuild_popularity() == 0
