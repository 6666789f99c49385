"""Every GraphQL field, asked by everybody, answers to those whom the reviewed matrix names."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from graphql import get_named_type
from strawberry.relay import to_base64

from catalog.models import Product as ProductRow
from catalog.models import Store
from fashrec_site.access.keys import issue_key
from fashrec_site.schema import schema
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from shoppers.callers import Scope
from shoppers.models import Shopper
from tests.factories import PhotoSearchFactory, StockFactory
from tests.permission_matrix import (
    CALLERS,
    read_matrix,
    refusal,
    schema_fields,
    seen_fields,
    selection,
)
from tests.recommender.worlds import make_world

SCHEMA = schema._schema
TOKEN = "a token of somebody"
READY, FAILED = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))  # Ann's photos
# How to ask for each field of Query and Mutation: for what is public, or for what is Ann's.
ASK = {
    "Query.node": ["node(id: $product)"],
    "Query.product": ['product(itemId: "next")'],
    "Query.products": ["products(first: 1)"],
    "Query.categories": ["categories(first: 1)"],
    "Query.stores": ["stores(first: 1, near: {latitude: 48.1, longitude: 16.2})"],
    "Query.similarProducts": ['similarProducts(itemId: "bought", first: 1)'],
    "Query.productRecommendations": ['productRecommendations(itemId: "bought", first: 1)'],
    "Query.trending": ["trending(first: 1, window: MONTH)"],
    "Query.recommendations": ['recommendations(shopper: "ann")'],
    "Query.colors": ["colors"],
    "Query.favourites": ['favourites(shopper: "ann")'],
    "Query.recommendationSet": ["recommendationSet(id: $set)"],
    "Query.photoSearch": [f'photoSearch(id: "{READY}")', f'photoSearch(id: "{FAILED}")'],
    "Query.me": ["me"],
    "Mutation.login": [
        'login(username: "ann", password: "correct horse")',
        'login(username: "ann", password: "wrong", sessionToken: "short")',
    ],
    "Mutation.signup": ['signup(username: "new", password: "correct horse")'],
    "Mutation.logout": ["logout"],
    "Mutation.recordEvents": [
        'recordEvents(events: [{kind: VIEW, itemId: "next", key: "k", shopper: "ann"}])'
    ],
    "Mutation.mergeSession": [f'mergeSession(sessionToken: "{TOKEN}", shopper: "ann")'],
}


@pytest.fixture
def world(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world = make_world()
    for n, item_id in enumerate(("bought", "next", "third")):
        product = world.add(item_id, (1, n, 0), popularity=n)
    ProductRow.objects.update(color="Red")
    StockFactory(product=product, store=Store.objects.create(name="S", latitude=48, longitude=16))
    ann = world.shopper("bought", latitude=48.2, longitude=16.4)
    ann.user = User.objects.create_user("ann", password="correct horse")
    ann.save()
    photo = {"asker": f"user:{ann.user_id}", "backbone": world.backbone}
    PhotoSearchFactory(pk=READY, vector=[1, 0, 0], **photo)
    reason = {"vector": None, "state": "failed", "error_code": "INVALID_IMAGE"}
    PhotoSearchFactory(pk=FAILED, **photo, **reason)
    bea = world.shopper(external_id="bea")
    bea.user = User.objects.create_user("bea")
    bea.save()
    User.objects.create_user("clerk", is_staff=True)
    return world


@pytest.fixture
def no_limits(monkeypatch):
    """Whole selections are larger than any client may ask for."""
    for name in ("MAX_FIELDS", "MAX_TOKENS", "MAX_CHARACTERS", "MAX_COST", "MAX_DEPTH"):
        monkeypatch.setattr(f"fashrec_site.query_limits.{name}", 1_000_000)


def client_of(caller: str) -> tuple[Client, dict[str, str]]:
    """A client of the caller, and its headers."""
    client, headers = Client(), {}
    if caller in ("key", "bare-key"):
        scopes = Scope.values if caller == "key" else []
        key = issue_key(name=caller, scopes=scopes)[1]
        headers = {"Authorization": f"Bearer {key}"}
    elif caller != "anonymous":
        name = {"shopper": "ann", "other": "bea", "staff": "clerk"}[caller]
        client.force_login(User.objects.get(username=name))
    return client, headers


def visible_fields(caller: str) -> set[str]:
    """Every Type.field that the caller was shown, whatever they asked for."""
    seen = set()
    for root in ("Query", "Mutation"):
        for name, field in SCHEMA.type_map[root].fields.items():
            below = selection(SCHEMA, get_named_type(field.type))
            for call in ASK[f"{root}.{name}"]:
                seen |= seen_by_one_call(caller, root, name, f"{call} {below}")
    return seen


def seen_by_one_call(caller: str, root: str, name: str, call: str) -> set[str]:
    """What one operation shows; what it changes is undone."""
    named = [f"${name}: ID!" for name in ("product", "set") if f"${name}" in call]
    variables = f"({', '.join(named)})" if named else ""
    query = f"{root.lower()} {variables} {{ {call} }}"
    with transaction.atomic():
        client, headers = client_of(caller)
        answer = client.post(
            "/graphql/",
            {"query": query, "variables": {"product": global_id(), "set": set_of_ann()}},
            content_type="application/json",
            headers=headers,
        ).json()
        transaction.set_rollback(True)
    value = (answer.get("data") or {}).get(name)
    seen = set(seen_fields(value))
    if value is not None and refusal(answer, value) is None:
        seen.add(f"{root}.{name}")
    return seen


def global_id() -> str:
    return to_base64("Product", ProductRow.objects.get(item_id="next").pk)


def set_of_ann() -> str:
    settings = RankingSettings.from_profile(default_profile())
    answer = recommend(shopper=Shopper.objects.get(external_id="ann"), settings=settings)
    return to_base64("RecommendationSet", answer.id)


def test_every_field_is_in_the_matrix_and_was_decided_on():
    rows, fields = read_matrix(), schema_fields(SCHEMA)
    assert sorted(fields - set(rows)) == [], "run: python -m tests.permission_matrix, and decide"
    assert sorted(set(rows) - fields) == [], "run: python -m tests.permission_matrix"
    undecided = [f for f, answers in rows.items() if not set(answers.values()) <= {"yes", "no"}]
    assert undecided == [], "write yes or no into tests/permissions.txt"


def test_every_root_field_has_an_example():
    roots = {field for field in schema_fields(SCHEMA) if field.startswith(("Query.", "Mutation."))}
    assert set(ASK) == roots, "say in tests/test_permissions.py how to ask for it"


@pytest.mark.parametrize("caller", CALLERS)
def test_everybody_sees_exactly_what_the_matrix_says(world, no_limits, caller):
    seen = visible_fields(caller)
    expected = {field for field, answers in read_matrix().items() if answers[caller] == "yes"}
    assert sorted(seen - expected) == [], f"{caller} sees what the matrix denies"
    assert sorted(expected - seen) == [], f"{caller} does not see what the matrix allows"
