"""Somebody not logged in: recommended by what their session did, and theirs after the login."""

import pytest
from django.contrib.auth.models import User
from strawberry.relay.utils import from_base64

from recommender.models import RecommendationLog
from shoppers.models import AnonymousSession, Event, Shopper
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
TOKEN = "a token of somebody"
RECOMMEND = """query ($token: String, $shopper: String, $exclude: RecommendationExclusion) {
    recommendations(sessionToken: $token, shopper: $shopper, exclude: $exclude, k: 3) {
        id tier rails { because { kind product { itemId } } items { edges { node { itemId } } } }
        items { edges { reason node { itemId } } } } }"""
READ = """query ($id: ID!, $token: String) {
    recommendationSet(id: $id, sessionToken: $token) { id } }"""
RECORD = """mutation ($events: [EventInput!]!) { recordEvents(events: $events) {
    ... on RecordedEvents { recorded } ... on OperationInfo { messages { field message } } } }"""
LOGIN = """mutation ($token: String) { login(username: "ann", password: "x", sessionToken: $token) {
    ... on LoggedIn { account { externalId } } ... on OperationInfo { messages { message } } } }"""


@pytest.fixture(autouse=True)
def world():
    world = make_world()
    for n in range(12):
        world.add(f"item {n}", (1, n / 5, (n % 3) / 5), popularity=n, gender="MEN" if n % 2 else
                  "WOMEN")  # fmt: skip
    return world


def record(ask, *kinds_and_items, token=TOKEN):
    events = [
        {"kind": kind, "itemId": item, "key": f"{kind} {item}", "sessionToken": token}
        for kind, item in kinds_and_items
    ]
    answer = ask(RECORD, events=events)["data"]["recordEvents"]
    assert answer == {"recorded": len(events)}, answer


def recommend(ask, **variables):
    return ask(RECOMMEND, **({"token": TOKEN} | variables))["data"]["recommendations"]


def because(answer):
    return [
        (rail["because"]["kind"], rail["because"]["product"]["itemId"]) for rail in answer["rails"]
    ]


def shown(answer):
    return {edge["node"]["itemId"] for edge in answer["items"]["edges"]}


def test_a_session_is_known_by_what_it_did_and_the_strongest_counts(ask):
    new = recommend(ask)
    assert (new["tier"], new["rails"]) == ("POPULAR", [])
    assert len(shown(new)) == 12
    record(ask, ("VIEW", "item 1"), ("CART", "item 1"), ("VIEW", "item 2"), ("FAVOURITE", "item 3"))
    record(ask, ("FAVOURITE", "item 4"), ("UNFAVOURITE", "item 4"), ("DISMISSAL", "item 5"))

    answer = recommend(ask)

    assert answer["tier"] == "PERSONAL"
    assert sorted(because(answer)) == [("CART", "item 1"), ("FAVOURITE", "item 3"),
                                       ("VIEW", "item 2")]  # fmt: skip
    assert "item 5" not in shown(answer)
    for rail in answer["rails"]:
        items = [edge["node"]["itemId"] for edge in rail["items"]["edges"]]
        assert len(items) == 3
        assert rail["because"]["product"]["itemId"] not in items
    assert "you put into your cart in" in str(answer)
    seen = recommend(ask, exclude={"seen": True})
    assert not shown(seen) & ({"item 1", "item 2", "item 5"} | shown(answer))


def test_its_sets_are_its_own_until_it_logs_in(client, ask):
    record(ask, ("VIEW", "item 2"))
    answer = recommend(ask)
    log = RecommendationLog.objects.get(pk=from_base64(answer["id"])[1])
    assert (log.shopper, log.session) == (None, AnonymousSession.objects.get())
    assert ask(READ, id=answer["id"], token=TOKEN)["data"]["recommendationSet"]
    for token in (None, "the token of another"):
        (error,) = ask(READ, id=answer["id"], token=token)["errors"]
        assert error["extensions"] == {"code": "NOT_FOUND"}
    user = User.objects.create_user("ann", password="x")
    Shopper.objects.create(external_id="ann", user=user)

    assert ask(LOGIN, token=TOKEN)["data"]["login"] == {"account": {"externalId": "ann"}}

    assert because(recommend(ask, token=None)) == [("VIEW", "item 2")]  # of whoever is logged in
    assert because(recommend(ask, token=None, shopper="ann")) == [("VIEW", "item 2")]
    assert not shown(recommend(ask, token=None, exclude={"seen": True})) & shown(answer)
    assert ask(READ, id=answer["id"])["data"]["recommendationSet"] == {"id": answer["id"]}
    (error,) = ask(RECOMMEND, token=TOKEN)["errors"]
    assert error["extensions"] == {"code": "CONFLICT"}
    client.logout()
    (error,) = ask(READ, id=answer["id"], token=TOKEN)["errors"]
    assert error["extensions"] == {"code": "NOT_FOUND"}


def test_whose_it_is_must_be_said_once_and_rightly(ask):
    for variables, message in (
        ({"token": None}, "Whose? Log in, or give `shopper` or `sessionToken`."),
        ({"shopper": "ann"}, "Give `shopper` or `sessionToken`, not both."),
        ({"token": "short"}, "a session token has 16 to 200 characters"),
    ):
        (error,) = ask(RECOMMEND, **({"token": TOKEN} | variables))["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}
        assert message in error["message"]
    assert not Event.objects.exists()
    assert not AnonymousSession.objects.exists()
