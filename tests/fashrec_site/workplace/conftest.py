"""One browser for all tests of the workplace's pages, and what went wrong in it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from tests.fashrec_site.storefront.conftest import ARGUMENTS, WINDOWS

SERIOUS = ("serious", "critical")
TIMEOUT_MS = 15_000


@dataclass
class Desk:
    """A browser logged in to the admin, and all that went wrong since."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note console messages, exceptions, failed answers and requests to other hosts."""
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("console", lambda m: m.type in ("error", "warning") and self._note(m.text))
        self.page.on("pageerror", lambda error: self._note(f"exception: {error}"))
        self.page.on("dialog", lambda dialog: (self._note(dialog.message), dialog.accept()))
        self.page.on("request", lambda request: self._note_host(request.url))
        self.page.on("response", lambda r: r.status >= 400 and self._note(f"{r.status} {r.url}"))

    def open(self, path: str, window: str = "desk") -> None:
        """Open a page in a window of that size."""
        width_px, height_px = WINDOWS[window]
        self.page.set_viewport_size({"width": width_px, "height": height_px})
        self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")

    def check(self) -> None:
        """The page fits its window, says what it shows to everybody, and nothing went wrong."""
        width, room = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= room, self.page.url
        found = Axe().run(self.page).response["violations"]
        serious = [
            (v["id"], [node["html"] for node in v["nodes"]][:3])
            for v in found
            if v["impact"] in SERIOUS
        ]
        assert serious == [], self.page.url
        assert self.complaints == [], self.page.url

    def _note(self, what: str) -> None:
        self.complaints.append(what)

    def _note_host(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https") and not url.startswith(self.url):
            self._note(f"request to another host: {url}")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser, which brings an event loop: Django's ORM is told not to mind.

    Not for the whole session: other tests ask GraphQL synchronously, which a loop would break.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    with (
        pytest.MonkeyPatch.context() as patch,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=ARGUMENTS) as browser,
    ):
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield browser


@pytest.fixture
def desk(chromium, live_server) -> Iterator[Desk]:
    """A superuser's browser; the test's rows must be committed (`transaction=True`)."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = chromium.new_context()
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    desk = Desk(context.new_page(), live_server.url)
    desk.watch()
    yield desk
    context.close()
