"""A page of another origin, in a real browser in which a shopper is logged in, changes nothing."""

import json
import shutil
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import sync_playwright

from shoppers.models import Event
from tests.factories import ProductFactory, ShopperFactory
from tests.fashrec_site.storefront.conftest import ARGUMENTS, TIMEOUT_MS

pytestmark = pytest.mark.django_db(transaction=True)
CSRF_TOKEN = "a" * 32


def mutation(key):
    event = f'{{kind: VIEW, itemId: "shirt", key: "{key}"}}'
    return f"mutation {{ recordEvents(events: [{event}]) {{ __typename }} }}"


# What a foreign page can try with the cookies of the shop, each in its own way of saying JSON.
ATTACKS = """async ([url, queries]) => {
    const cookies = {method: 'POST', credentials: 'include', mode: 'no-cors'};
    const body = (key) => JSON.stringify({query: queries[key]});
    const json = {'Content-Type': 'application/json'};
    const NEARLY_JSON = 'text/plain; application/json';
    const tries = [
        fetch(url, {...cookies, body: body('text')}),
        fetch(url, {...cookies, body: new Blob([body('blob')], {type: NEARLY_JSON})}),
        fetch(url, {...cookies, mode: 'cors', headers: json, body: body('json')}),
        fetch(url + '?query=' + encodeURIComponent(queries.get), {...cookies, method: 'GET'}),
    ];
    const form = new FormData();
    form.append('query', queries.form);
    form.append('operations', body('form'));
    form.append('map', '{}');
    tries.push(fetch(url, {...cookies, body: form}));
    tries.push(fetch(url, {...cookies, body: new URLSearchParams({query: queries.urlencoded})}));
    return (await Promise.allSettled(tries)).map((one) => one.status);
}"""
OWN_PAGE = """async ([url, query, token]) => (await fetch(url, {
    method: 'POST', credentials: 'same-origin', body: JSON.stringify({query}),
    headers: {'Content-Type': 'application/json', 'X-CSRFToken': token},
})).status"""


class ForeignPage(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>win a prize</title>")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def foreign_url():
    """Of another origin, and of the same site: so the browser sends the shop's cookies along."""
    with HTTPServer(("127.0.0.1", 0), ForeignPage) as server:
        threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def session_id():
    ProductFactory(item_id="shirt")
    shopper = ShopperFactory(user=User.objects.create_user("ann"))
    client = Client()
    client.force_login(shopper.user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def page(session_id, live_server):
    """A browser in which the shopper is logged in."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    host = live_server.url.replace("localhost", "127.0.0.1")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=ARGUMENTS) as browser,
    ):
        context = browser.new_context()
        values = {settings.SESSION_COOKIE_NAME: session_id, settings.CSRF_COOKIE_NAME: CSRF_TOKEN}
        context.add_cookies([{"name": n, "value": v, "url": host} for n, v in values.items()])
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        yield page


def test_no_request_of_a_foreign_page_is_obeyed(page, live_server, foreign_url):
    url = live_server.url.replace("localhost", "127.0.0.1") + "/graphql/"
    statuses = []
    page.on(
        "response", lambda answer: answer.url.startswith(url) and statuses.append(answer.status)
    )
    page.goto(foreign_url)
    names = ("text", "blob", "json", "get", "form", "urlencoded")
    page.evaluate(ATTACKS, [url, {name: mutation(name) for name in names}])
    assert stored_keys() == []
    assert statuses
    assert min(statuses) >= 400

    page.goto(live_server.url.replace("localhost", "127.0.0.1") + "/health/live")
    assert page.evaluate(OWN_PAGE, [url, mutation("own"), CSRF_TOKEN]) == 200
    assert stored_keys() == ["own"]
    assert json.loads(page.evaluate("document.body.innerText")) == {"status": "live"}


def stored_keys():
    """Read in a thread: the browser's event loop keeps Django from reading in this one."""
    keys = []

    def read():
        from django.db import connection

        keys.extend(Event.objects.values_list("key", flat=True))
        connection.close()

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    return keys
