"""The content security policy: strict everywhere, and wide enough for GraphiQL at its own page."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.fashrec_site.storefront.conftest import ARGUMENTS

pytestmark = pytest.mark.django_db
POLICY = "Content-Security-Policy"


def directives(response):
    return dict(part.split(" ", 1) for part in response[POLICY].split("; "))


@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_a_page_may_load_and_run_its_own_files_only(client, path):
    policy = directives(client.get(path))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


def test_the_api_answers_with_the_strict_policy_and_graphiql_with_its_own(client):
    query = {"query": "{ __typename }"}
    strict = directives(client.post("/graphql/", query, content_type="application/json"))
    assert strict["script-src"] == "'self'"
    graphiql = directives(client.get("/graphql/", headers={"accept": "text/html"}))
    assert graphiql["script-src"].startswith("https://unpkg.com 'sha256-")
    assert graphiql["default-src"] == "'none'"


@pytest.mark.django_db(transaction=True)
def test_graphiqls_policy_blocks_nothing_that_its_page_asks_for(live_server):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    messages, asked = [], []
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=ARGUMENTS) as browser,
    ):
        page = browser.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.route("https://unpkg.com/**", lambda route: asked.append(route) or route.abort())
        page.goto(live_server.url + "/graphql/")
        page.wait_for_load_state("networkidle")
    assert len(asked) >= 5, "what GraphiQL is made of was not even asked for"
    assert [text for text in messages if "Content Security Policy" in text] == []
    # Without the CDN's js-cookie the inline script fails, which says that it was run.
    assert any("Cookies is not defined" in text for text in messages)
