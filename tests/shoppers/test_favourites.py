"""Favourites over GraphQL: whose they are, in which order, and what takes them back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from shoppers.events import NewEvent, record_events
from tests.factories import ProductFactory, ShopperFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN = "a token of some browser"
OF_SESSION = f'{{ favourites(sessionToken: "{TOKEN}") {{ edges {{ node {{ itemId }} }} }} }}'
OWN = "{ favourites { totalCount edges { node { itemId } } } }"


@pytest.fixture
def ann():
    for item_id in ("coat", "dress", "shirt"):
        ProductFactory(item_id=item_id)
    return ShopperFactory(external_id="ann", user=User.objects.create_user("ann"))


def happened(*kinds_and_items, **whose):
    """Record events, a minute between one and the next."""
    events = [
        NewEvent(kind, item_id, f"{i}", NOW + timedelta(minutes=i), **whose)
        for i, (kind, item_id) in enumerate(kinds_and_items)
    ]
    record_events(events=events, now=NOW + timedelta(days=1))


def item_ids(answer):
    assert "errors" not in answer, answer
    return [edge["node"]["itemId"] for edge in answer["data"]["favourites"]["edges"]]


def test_the_latest_favourite_comes_first_and_what_was_taken_back_is_gone(client, ask, ann):
    happened(
        ("favourite", "coat"),
        ("favourite", "dress"),
        ("favourite", "shirt"),
        ("unfavourite", "dress"),
        ("favourite", "coat"),
        ("view", "dress"),
        shopper="ann",
    )
    client.force_login(ann.user)
    answer = ask(OWN)
    assert item_ids(answer) == ["coat", "shirt"]
    assert answer["data"]["favourites"]["totalCount"] == 2


def test_a_session_keeps_favourites_until_its_shopper_logs_in(client, ask, ann):
    assert item_ids(ask(OF_SESSION)) == []
    happened(("favourite", "shirt"), session_token=TOKEN)
    assert item_ids(ask(OF_SESSION)) == ["shirt"]
    client.force_login(ann.user)
    merge = f'mutation {{ mergeSession(sessionToken: "{TOKEN}", shopper: "ann") {{ __typename }} }}'
    ann.user.is_staff = True
    ann.user.save()
    ask(merge)
    assert item_ids(ask(OF_SESSION)) == []
    assert item_ids(ask(OWN)) == ["shirt"]


def test_pages_follow_each_other(client, ask, ann):
    happened(("favourite", "coat"), ("favourite", "dress"), shopper="ann")
    client.force_login(ann.user)
    page = """query ($after: String) {
        favourites(first: 1, after: $after) {
            pageInfo { endCursor hasNextPage } edges { node { itemId } } } }"""
    first = ask(page)
    info = first["data"]["favourites"]["pageInfo"]
    second = ask(page, after=info["endCursor"])
    assert info["hasNextPage"]
    assert item_ids(first) + item_ids(second) == ["dress", "coat"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ favourites { totalCount } }", "UNAUTHENTICATED"),
        ('{ favourites(shopper: "ann") { totalCount } }', "NOT_FOUND"),
        ('{ favourites(shopper: "nobody") { totalCount } }', "NOT_FOUND"),
        ('{ favourites(sessionToken: "short") { totalCount } }', "BAD_USER_INPUT"),
        (
            f'{{ favourites(shopper: "a", sessionToken: "{TOKEN}") {{ totalCount }} }}',
            "BAD_USER_INPUT",
        ),
    ],
)
def test_a_stranger_is_told_why_not(ask, ann, query, code):
    assert ask(query)["errors"][0]["extensions"]["code"] == code
