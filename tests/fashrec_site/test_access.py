"""Who gets in: keys, sessions, strangers, foreign pages, and those who ask too often."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory
from django.utils import timezone

from fashrec_site.access.addresses import client_address, counted_address
from fashrec_site.access.keys import find_key, issue_key, note_use
from fashrec_site.access.rate_limits import limiter
from fashrec_site.models import ApiKey
from shoppers.models import AnonymousSession, Event, Shopper
from tests.factories import ProductFactory, ShopperFactory

pytestmark = pytest.mark.django_db
TOKEN = "a token of somebody"
RECORD = """mutation ($events: [EventInput!]!) { recordEvents(events: $events) {
    ... on RecordedEvents { recorded duplicates }
    ... on OperationInfo { messages { kind field message code } } } }"""
ME = "{ me { username } }"


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann():
    user = User.objects.create_user("ann", password="correct horse")
    return ShopperFactory(external_id="ann", user=user)


def post(client, query, variables=None, **options):
    body = {"query": query, "variables": variables or {}}
    return client.post("/graphql/", body, content_type="application/json", **options)


def record(client, *events, **options):
    response = post(client, RECORD, {"events": list(events)}, **options)
    return response.json()["data"]["recordEvents"]


def view_of(item_id="shirt", **fields):
    return {"kind": "VIEW", "itemId": item_id, "key": "k1", **fields}


def bearer(key):
    return {"headers": {"Authorization": f"Bearer {key}"}}


def code(response):
    return response.json()["errors"][0]["extensions"]["code"]


# Keys


def test_a_key_is_stored_as_a_hash_and_found_by_itself_alone():
    row, key = issue_key(name="shop", scopes=["events:write"])
    now = timezone.now()
    assert key not in json.dumps(list(ApiKey.objects.values()), default=str)
    assert find_key(key, now=now) == row
    for other in ("", "fr_", key[:-1], key + "x", key[3:], f"fr_{row.prefix}_guess", "fr_\0_x"):
        assert find_key(other, now=now) is None


def test_an_expired_or_revoked_key_opens_nothing(client):
    now = timezone.now()
    _, key = issue_key(name="shop", expires_at=now + timedelta(hours=1))
    assert find_key(key, now=now + timedelta(hours=2)) is None
    ApiKey.objects.update(revoked_at=now)
    assert find_key(key, now=now) is None
    response = post(client, ME, **bearer(key))
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("bad", [{"scopes": ["everything"]}, {"rate_limit": "often"}, {"name": ""}])
def test_a_key_with_a_bad_setting_is_not_made(bad):
    with pytest.raises(ValidationError):
        issue_key(**({"name": "shop"} | bad))


def test_the_last_use_is_noted_to_the_minute(client):
    row, key = issue_key(name="shop")
    assert post(client, ME, **bearer(key)).status_code == 200
    row.refresh_from_db()
    first = row.last_used_at
    note_use(row, now=first + timedelta(seconds=30))
    row.refresh_from_db()
    assert row.last_used_at == first
    note_use(row, now=first + timedelta(seconds=61))
    row.refresh_from_db()
    assert row.last_used_at == first + timedelta(seconds=61)


def test_a_key_ignores_the_session_that_comes_with_it(client, ann):
    client.force_login(ann.user)
    assert post(client, ME).json()["data"]["me"] == {"username": "ann"}
    key = issue_key(name="shop")[1]
    assert post(client, ME, **bearer(key)).json()["data"]["me"] is None


# Sessions and foreign pages


@pytest.fixture
def browser(ann):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann.user)
    return browser


@pytest.fixture
def shirt():
    return ProductFactory(item_id="shirt")


def test_a_session_needs_the_csrf_token_to_post(browser, shirt):
    response = post(browser, RECORD, {"events": [view_of()]})
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    browser.cookies["csrftoken"] = token = "a" * 32
    assert record(browser, view_of(), headers={"X-CSRFToken": token})["recorded"] == 1


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
@pytest.mark.parametrize("logged_in", [True, False])
def test_what_a_foreign_form_can_send_is_refused(ann, shirt, content_type, logged_in):
    browser = Client(enforce_csrf_checks=True)
    if logged_in:
        browser.force_login(ann.user)
    events = [view_of(sessionToken=TOKEN)]
    body = json.dumps({"query": RECORD, "variables": {"events": events}})
    response = browser.post("/graphql/", body, content_type=content_type)
    assert response.status_code == (403 if logged_in else 400)
    assert not Event.objects.exists()


def test_another_origin_is_refused_even_with_json_and_without_a_session(client, shirt):
    options = {"headers": {"Origin": "https://evil.example"}}
    response = post(client, RECORD, {"events": [view_of(sessionToken=TOKEN)]}, **options)
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    own = {"headers": {"Origin": "http://testserver"}}
    assert record(client, view_of(sessionToken=TOKEN), **own)["recorded"] == 1


def test_a_mutation_by_get_is_refused(browser, shirt):
    query = 'mutation { recordEvents(events: [{kind: VIEW, itemId: "shirt", key: "k"}]) '
    query += "{ __typename } }"
    assert browser.get("/graphql/", {"query": query}).status_code == 400
    assert not Event.objects.exists()


# Events by whom


def test_a_shoppers_session_records_their_own_events_only(client, ann, shirt):
    client.force_login(ann.user)
    assert record(client, view_of()) == {"recorded": 1, "duplicates": 0}
    assert record(client, view_of(shopper="ann")) == {"recorded": 0, "duplicates": 1}
    ShopperFactory(external_id="bea")
    for other in ("bea", "nobody"):
        (message,) = record(client, view_of(shopper=other))["messages"]
        assert message == {
            "kind": "VALIDATION",
            "field": "events.0.shopper",
            "message": "not your shopper: leave it out, or use a key with the scope events:write",
            "code": "FORBIDDEN",
        }
    assert Event.objects.get().shopper == ann


def test_a_stranger_records_by_a_session_token_and_keeps_the_events_at_the_login(client, shirt):
    assert record(client, view_of())["messages"][0]["code"] == "UNAUTHENTICATED"
    assert record(client, view_of(sessionToken=TOKEN)) == {"recorded": 1, "duplicates": 0}
    signup = """mutation { signup(username: "cleo", password: "correct horse", gender: WOMEN,
        sessionToken: "%s") { ... on LoggedIn { account { username gender } }
        ... on OperationInfo { messages { message } } } }"""
    answer = post(client, signup % TOKEN).json()["data"]["signup"]
    assert answer == {"account": {"username": "cleo", "gender": "WOMEN"}}
    shopper = Shopper.objects.get(user__username="cleo")
    assert Event.objects.of(shopper).count() == 1
    assert AnonymousSession.objects.get().shopper == shopper


def test_a_key_with_the_scope_records_for_anybody(client, shirt):
    key = issue_key(name="shop", scopes=["events:write"])[1]
    events = [view_of(shopper="new"), view_of(shopper="newer")]
    assert record(client, *events, **bearer(key)) == {"recorded": 2, "duplicates": 0}
    assert Shopper.objects.count() == 2
    closed = issue_key(name="reader", scopes=["shoppers:read"])[1]
    (message,) = record(client, view_of(shopper="new"), **bearer(closed))["messages"]
    assert message["code"] == "FORBIDDEN"


def test_all_bad_events_are_named_by_their_place(client, shirt):
    events = [view_of(sessionToken=TOKEN), view_of("hat", key="k2", sessionToken=TOKEN)]
    (message,) = record(client, *events)["messages"]
    assert (message["field"], message["message"]) == ("events.1.itemId", "no product 'hat'")
    many = [view_of(sessionToken=TOKEN, key="")] * 2
    fields = [message["field"] for message in record(client, *many)["messages"]]
    assert fields == ["events.0.key", "events.1.key"]
    assert not Event.objects.exists()


def test_faults_of_every_kind_are_named_at_once(client, shirt):
    messages = record(
        client,
        view_of(sessionToken=TOKEN, recommendationId="x"),
        view_of("hat", key="", sessionToken=TOKEN),
        view_of("hat", sessionToken="short"),
        view_of(shopper="ann"),
        view_of(),
        view_of(key="good", sessionToken=TOKEN),
    )["messages"]
    assert [(m["field"], m["code"]) for m in messages] == [
        ("events.0.recommendationId", "BAD_USER_INPUT"),
        ("events.3.shopper", "FORBIDDEN"),
        ("events.4.shopper", "UNAUTHENTICATED"),
        ("events.1.key", "BAD_USER_INPUT"),
        ("events.1.itemId", "BAD_USER_INPUT"),
        ("events.2.sessionToken", "BAD_USER_INPUT"),
        ("events.2.itemId", "BAD_USER_INPUT"),
    ]
    assert not Event.objects.exists()


def test_too_many_events_are_refused_as_a_whole(client, shirt):
    many = [view_of(key=f"k{n}", sessionToken=TOKEN) for n in range(101)]
    (message,) = record(client, *many)["messages"]
    assert message["field"] == "events"
    assert message["message"] == "at most 100 in one call; got 101: send them in parts"


def test_a_mistyped_shopper_is_refused_where_none_is_to_be_made(client, shirt):
    key = issue_key(name="shop", scopes=["events:write"])[1]
    ShopperFactory(external_id="ann")
    query = RECORD.replace("(events: $events)", "(events: $events, createShoppers: false)")
    events = [view_of(shopper="ann"), view_of(key="k2", shopper="anm")]
    answer = post(client, query, {"events": events}, **bearer(key)).json()["data"]["recordEvents"]
    (message,) = answer["messages"]
    assert (message["field"], message["message"]) == ("events.1.shopper", "no shopper 'anm'")
    assert not Event.objects.exists() and Shopper.objects.count() == 1


def test_the_recommendation_comes_as_a_global_id_or_as_it_is(client, shirt):
    plain = "00000000-0000-4000-8000-000000000001"
    relay = "UmVjb21tZW5kYXRpb25TZXQ6MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAx"
    for key, given in (("a", plain), ("b", relay)):
        record(client, view_of(key=key, sessionToken=TOKEN, recommendationId=given))
    assert {str(e.recommendation_id) for e in Event.objects.all()} == {plain}


# Addresses and rates


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("203.0.113.9", "1.2.3.4", [], "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4", ["10.0.0.0/8"], "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", ["10.0.0.0/8"], "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", ["10.0.0.0/8"], "1.2.3.4"),
        ("10.0.0.1", "nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("::ffff:203.0.113.9", "", [], "203.0.113.9"),
        ("", "1.2.3.4", ["10.0.0.0/8"], "127.0.0.1"),
    ],
)
def test_a_forwarded_address_is_believed_from_our_proxies_only(
    settings, peer, forwarded, trusted, address
):
    settings.FASHREC_TRUSTED_PROXIES = trusted
    meta = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(RequestFactory().get("/", **meta)) == address


def test_an_ipv6_network_counts_as_one():
    requests = [RequestFactory().get("/", REMOTE_ADDR=f"2001:db8:1:2:{n}::1") for n in range(3)]
    assert {counted_address(request) for request in requests} == {"2001:db8:1:2::/64"}


@pytest.fixture
def small_limit(settings):
    """Three a minute for addresses; counted under names that no other run has used."""
    settings.FASHREC_RATE_LIMIT = "3/minute"
    settings.FASHREC_TRUSTED_PROXIES = []
    return {"REMOTE_ADDR": f"198.18.{timezone.now().microsecond % 256}.{id(settings) % 256}"}


def test_too_many_requests_are_told_when_to_come_back(client, small_limit):
    forged = [{"X-Forwarded-For": f"1.2.3.{n}"} for n in range(4)]
    answers = [post(client, ME, headers=headers, **small_limit) for headers in forged]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert code(answers[3]) == "RATE_LIMITED"
    assert 1 <= int(answers[3]["Retry-After"]) <= 60


def test_a_key_has_a_limit_of_its_own(client, small_limit):
    key = issue_key(name="shop", rate_limit="5/minute")[1]
    answers = [post(client, ME, **bearer(key), **small_limit).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert post(client, ME, **small_limit).status_code == 200


def test_wrong_keys_are_counted_by_address(client, small_limit):
    answers = [post(client, ME, **bearer(f"fr_{n}_x"), **small_limit) for n in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_logins_from_one_address_are_limited(client, settings, ann, small_limit):
    settings.FASHREC_RATE_LIMIT = ""
    settings.FASHREC_LOGIN_RATE_LIMIT = "2/minute"
    query = 'mutation { login(username: "%s", password: "x") '
    query += "{ ... on OperationInfo { messages { code } } } }"
    answers = [post(client, query % name, **small_limit) for name in ("a", "b", "c")]
    codes = [answer.json()["data"]["login"]["messages"][0]["code"] for answer in answers]
    assert codes == ["UNAUTHENTICATED", "UNAUTHENTICATED", "RATE_LIMITED"]


# The schema itself


@pytest.mark.parametrize(
    ("who", "sees"), [("stranger", False), ("shopper", False), ("key", True), ("staff", True)]
)
def test_in_production_strangers_see_neither_schema_nor_graphiql(client, settings, ann, who, sees):
    settings.FASHREC_PUBLIC_SCHEMA = False
    options = bearer(issue_key(name="shop")[1]) if who == "key" else {}
    if who == "staff":
        client.force_login(User.objects.create_user("clerk", is_staff=True))
    elif who == "shopper":
        client.force_login(ann.user)
    for query in ("{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'):
        answer = post(client, query, **options)
        assert ("errors" not in answer.json()) == sees
        if not sees:
            assert code(answer) == "BAD_USER_INPUT"
    assert post(client, "{ __typename }", **options).json()["data"] == {"__typename": "Query"}
    options.setdefault("headers", {})["Accept"] = "text/html"
    page = client.get("/graphql/", **options)
    assert (b"graphiql" in page.content.lower()) == sees


def test_no_answer_suggests_what_a_stranger_did_not_ask_for(client):
    for query in ("{ mee { username } }", "{ me { usernam } }", "mutation { logi { x } }"):
        assert "Did you mean" not in post(client, query).content.decode()


def test_batches_are_refused(client):
    body = json.dumps([{"query": ME}, {"query": ME}])
    assert client.post("/graphql/", body, content_type="application/json").status_code == 400


def test_the_limiter_of_the_site_counts_in_redis():
    limiter.hit(parse_rate("1/second"), "a test")
    assert limiter._shared is not None


def parse_rate(text):
    from limits import parse

    return parse(text)
