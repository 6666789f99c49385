"""API keys and webhooks in the admin, and keys by command."""

import re
from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.utils import timezone

from fashrec_site.access.keys import find_key, issue_key
from fashrec_site.models import ApiKey, WebhookDelivery, WebhookEndpoint
from fashrec_site.webhooks.services import send_ping

pytestmark = pytest.mark.django_db
KEYS = "/admin/fashrec_site/apikey/"
ENDPOINTS = "/admin/fashrec_site/webhookendpoint/"
DELIVERIES = "/admin/fashrec_site/webhookdelivery/"


@pytest.fixture
def root(client):
    user = User.objects.create_superuser("root")
    client.force_login(user)
    return user


@pytest.fixture
def viewer(client):
    """Staff who may look at everything of the site and change nothing."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return user


@pytest.fixture
def endpoint():
    url = "https://shop.example/hook"
    return WebhookEndpoint.objects.create(name="shop", url=url, kinds=["product.embedded"])


def test_a_key_is_shown_once_and_never_again(client, root):
    data = {"name": "shop", "scopes": ["events:write"], "rate_limit": ""}
    page = client.post(f"{KEYS}add/", data)
    (key,) = re.findall(r"fr_[0-9a-f]{8}_[\w-]{43}", page.content.decode())
    assert "no-store" in page["Cache-Control"]
    row = find_key(key, now=timezone.now())
    assert (row.name, row.scopes, row.created_by) == ("shop", ["events:write"], root)
    for url in (KEYS, f"{KEYS}{row.pk}/change/"):
        shown = client.get(url)
        assert shown.status_code == 200
        assert key not in shown.content.decode()
        assert row.key_sha256 not in shown.content.decode()


def test_a_changed_key_stays_the_same_key(client, root):
    row, key = issue_key(name="shop")
    data = {"name": "other shop", "scopes": ["shoppers:read"], "rate_limit": "5/minute"}
    assert client.post(f"{KEYS}{row.pk}/change/", data).status_code == 302
    row = find_key(key, now=timezone.now())
    assert (row.name, row.scopes, row.rate_limit) == ("other shop", ["shoppers:read"], "5/minute")
    page = client.post(f"{KEYS}{row.pk}/change/", data | {"rate_limit": "often"})
    assert "expected a rate such as" in page.content.decode()


def test_a_key_is_revoked_and_cannot_be_deleted(client, root):
    row, key = issue_key(name="shop")
    client.post(KEYS, {"action": "revoke", "_selected_action": [row.pk]})
    assert find_key(key, now=timezone.now()) is None
    assert client.post(f"{KEYS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "action"), [(KEYS, "revoke"), (ENDPOINTS, "ping"), (DELIVERIES, "try_again")]
)
def test_staff_who_may_only_look_cannot_act(client, viewer, endpoint, url, action):
    row, key = issue_key(name="shop")
    delivery = send_ping(endpoint, now=timezone.now())
    WebhookDelivery.objects.update(state="failed")
    chosen = {KEYS: row.pk, ENDPOINTS: endpoint.pk, DELIVERIES: delivery.pk}[url]
    page = client.get(url)
    assert page.status_code == 200
    assert f'value="{action}"' not in page.content.decode()
    client.post(url, {"action": action, "_selected_action": [chosen]})
    assert find_key(key, now=timezone.now()) is not None
    assert WebhookDelivery.objects.get().state == "failed"
    assert client.post(f"{KEYS}add/", {"name": "mine"}).status_code == 403


def test_the_secret_of_an_endpoint_is_for_those_who_may_change_it(client, viewer, endpoint):
    page = client.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()
    assert endpoint.url in page
    assert endpoint.secret not in page
    viewer.user_permissions.add(Permission.objects.get(codename="change_webhookendpoint"))
    assert endpoint.secret in client.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()


def test_an_endpoint_is_pinged_and_a_delivery_sent_again(client, root, endpoint):
    client.post(ENDPOINTS, {"action": "ping", "_selected_action": [endpoint.pk]})
    (delivery,) = WebhookDelivery.objects.all()
    assert (delivery.kind, delivery.payload) == ("ping", {"endpoint": "shop"})
    WebhookDelivery.objects.update(state="failed", attempts=10)
    assert "ping" in client.get(DELIVERIES).content.decode()
    client.post(DELIVERIES, {"action": "try_again", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("pending", 0)


def test_an_endpoint_is_added_with_a_secret_of_its_own(client, root):
    data = {"name": "a", "url": "https://a.example/", "kinds": ["embedding.failed"]}
    assert client.post(f"{ENDPOINTS}add/", data | {"is_active": "on"}).status_code == 302
    assert WebhookEndpoint.objects.get().secret.startswith("whsec_")
    page = client.post(f"{ENDPOINTS}add/", data | {"name": "b", "url": "gopher://x/"})
    assert "Enter a valid URL" in page.content.decode()


def test_the_command_prints_the_key_alone():
    out, err = StringIO(), StringIO()
    call_command("create_api_key", "shop", "--scope", "events:write", stdout=out, stderr=err)
    row = find_key(out.getvalue().strip(), now=timezone.now())
    assert row.scopes == ["events:write"]
    with pytest.raises(CommandError, match="already exists"):
        call_command("create_api_key", "shop", stdout=out)
    with pytest.raises(CommandError, match="expected a rate such as"):
        call_command("create_api_key", "other", rate_limit="often", stdout=out)
