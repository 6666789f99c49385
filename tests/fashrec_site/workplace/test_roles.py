"""The shipped roles, and that who may only look changes nothing by any address or action."""

from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db.models import UUIDField
from django.test import Client
from django.urls import URLPattern, URLResolver

from catalog.models import ProductImage, Stock
from embeddings.models import DuplicatePair, Embedding
from fashrec_site.workplace.roles import ROLES, ensure_roles
from recommender.models import RankingProfile
from tests.fashrec_site.workplace.world import (
    database,
    form_data,
    one_of_each,
    registered_models,
    staff,
)

pytestmark = pytest.mark.django_db
LEAVES = ("logout", "login", "password_change", "password_change_done")


def addresses() -> list[tuple[str, object]]:
    """Every address of the admin with the row that it is about, or None."""
    first = {model: model.objects.order_by("pk").first() for model in registered_models()}
    by_prefix = {f"{m._meta.app_label}/{m._meta.model_name}/": row for m, row in first.items()}
    found, version = [], RankingProfile.history.first().pk
    for pattern in flat(admin.site.get_urls()):
        route, name = pattern
        if name in LEAVES:
            continue
        route = route.replace("/history/([^/]+)", f"/history/{version}")
        row = next((row for prefix, row in by_prefix.items() if route.startswith(prefix)), None)
        key = str(row.pk) if row else "1"
        route = route.replace("<int:image_id>", str(ProductImage.objects.first().pk))
        route = route.replace("<int:embedding_id>", str(Embedding.objects.first().pk))
        route = route.replace("<int:pair_id>", str(DuplicatePair.objects.first().pk))
        for part in (
            "([^/]+)",
            "<path:object_id>",
            "<id>",
            "<int:object_id>",
            "<int:pk>",
            "<uuid:pk>",
        ):
            route = route.replace(part, key)
        route = route.replace("<int:content_type_id>", "1").replace("<path:url>", "x")
        route = route.replace("(?P<url>.*)", "").replace("<app_label>", "catalog")
        found.append((f"/admin/{route}", row))
    return found


def flat(patterns, prefix="") -> list[tuple[str, str | None]]:
    routes = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern).lstrip("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            routes += flat(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            routes.append((route, pattern.name))
    return routes


def try_everything(client: Client) -> int:
    """Open every address, send forms to it, and run every action on every model; how many."""
    client.raise_request_exception = False
    tried = 0
    for url, row in addresses():
        data = form_data(row) if row else {"post": "yes"}
        assert client.get(url).status_code < 500, url
        assert client.post(url, data).status_code < 500, url
        tried += 1
    for model, model_admin in admin.site._registry.items():
        row = model.objects.order_by("pk").first()
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for name in ("delete_selected", *(str(action) for action in model_admin.actions or ())):
            data = {
                "action": name,
                "_selected_action": [key_of(row, model)],
                "post": "yes",
                "index": "0",
            }
            assert client.post(url, data).status_code < 500, (url, name)
            tried += 1
    return tried


def key_of(row, model) -> str:
    """The row's key; where the walk has deleted it, one that might have been."""
    if row is not None:
        return str(row.pk)
    return str(uuid4()) if isinstance(model._meta.pk, UUIDField) else "1"


def test_migrate_makes_the_roles_and_sets_them_right_again():
    assert set(ROLES) <= set(Group.objects.values_list("name", flat=True))
    analyst = Group.objects.get(name="analyst")
    analyst.permissions.add(Permission.objects.get(codename="delete_product"))
    call_command("migrate", "--verbosity", "0")
    codenames = set(analyst.permissions.values_list("codename", flat=True))
    assert {"view_product", "view_shopper", "view_rankingprofile"} <= codenames
    assert all(codename.startswith("view_") for codename in codenames)


def test_roles_that_are_right_cost_three_reads(django_assert_num_queries):
    ensure_roles()
    with django_assert_num_queries(5):  # two of them the transaction's savepoint
        ensure_roles()


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("curator", "catalog.change_product", "fashrec_site.view_apikey"),
        ("curator", "recommender.change_rankingprofile", "shoppers.delete_shopper"),
        ("operator", "fashrec_site.add_apikey", "catalog.change_product"),
        ("operator", "shoppers.delete_shopper", "recommender.change_rankingprofile"),
        ("analyst", "shoppers.view_purchase", "fashrec_site.view_webhookendpoint"),
    ],
)
def test_a_role_may_do_its_work_and_not_the_others(role, may, may_not):
    user = staff("anna", groups=(role,))
    assert user.has_perm(may)
    assert not user.has_perm(may_not)


def test_who_may_only_look_changes_nothing_by_any_address_or_action(client):
    one_of_each()
    viewer = staff("anna", groups=("analyst",))
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    before = database()
    assert try_everything(client) > 150
    assert database() == before


def test_the_same_walk_by_a_superuser_changes_and_deletes_much(client):
    """The walk above would notice."""
    one_of_each()
    for number in range(3):  # the walk deletes the first users, and is to go on itself
        User.objects.create_user(f"user {number}")
    client.force_login(User.objects.create_superuser("root"))
    before = database()
    try_everything(client)
    after = database()
    assert sum(after[table] != before[table] for table in before) > 15
    assert not Stock.objects.exists()
