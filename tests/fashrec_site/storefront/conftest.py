"""One shop, one server and one Chromium for all tests of this package.

The browser is opened after the rows are written, as it brings an event loop, in which Django
refuses to query. Tests that need a row ask for it by `in_thread`.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import Browser, Page, Response, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.fashrec_site.storefront.shop import fill_shop

WINDOWS = {"desk": (1440, 900), "telephone": (390, 844)}  # pixels
ARGUMENTS = [
    "--no-sandbox",  # needed by root, who runs the tests in most containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMEOUT_MS = 30_000


@dataclass
class Visit:
    """An open page, and all that went wrong on it since it was opened."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note console errors, exceptions, failed answers and requests to other hosts.

        What the content security policy forbids reaches the console, too.
        """
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("request", lambda request: self._note_host(request.url))
        self.page.on("response", self._note_answer)

    def open(self, path: str) -> None:
        """Go to the page and wait until it is loaded with its scripts and first photos."""
        self.page.goto(self.base + path)

    def _note_message(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _note_host(self, url: str) -> None:
        if urlsplit(url).scheme != "blob" and not url.startswith(self.base):
            self.complaints.append(f"request to another host: {url}")

    def _note_answer(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} for {response.url}")


@pytest.fixture
def private_media() -> None:
    """Not here: the photos are those of the one shop."""


@pytest.fixture(scope="package")
def test_database(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The test database, open for the whole package.

    pytest-django makes it only where a collected test is marked for it. The browser's are not, as
    its fixtures would query beside the event loop.
    """
    from django.db import connection

    with django_db_blocker.unblock():
        if connection.settings_dict["NAME"].startswith("test_"):
            yield
            return
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
        yield
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="package")
def shop(test_database, tmp_path_factory) -> Iterator[None]:
    """The shop's rows, which go when the package's last test is done.

    Its servers are those of the tests' home: only the report and the files are elsewhere.
    """
    home = tmp_path_factory.mktemp("shop")
    settings = override_settings(
        FASHREC_DEMO=True,
        FASHREC_HOME=home,
        FASHREC_RATE_LIMIT="",
        FASHREC_LOGIN_RATE_LIMIT="",
        FASHREC_SIGNUP_RATE_LIMIT="",
        MEDIA_ROOT=home / "media",
        PRIVATE_ROOT=home / "private",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )
    with settings:
        fill_shop(home)
        yield
        in_thread(lambda: call_command("flush", verbosity=0, interactive=False))


@pytest.fixture(scope="package")
def base(shop) -> Iterator[str]:
    """The address of the server."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture(scope="package")
def browser(base) -> Iterator[Browser]:
    """One Chromium; each test has a fresh context in it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=ARGUMENTS) as browser,
    ):
        yield browser


@pytest.fixture
def window() -> str:
    """Which of the windows to look through; tests of the layout look through each."""
    return "desk"


@pytest.fixture
def new_visit(browser, base, window) -> Iterator[Callable[..., Visit]]:
    """Opens a page in a browser that has never been here."""
    contexts = []

    def begin(**options: Any) -> Visit:
        width_px, height_px = WINDOWS[window]
        size = {"width": width_px, "height": height_px}
        contexts.append(browser.new_context(viewport=size, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(TIMEOUT_MS)
        visit = Visit(page, base)
        visit.watch()
        return visit

    yield begin
    for context in contexts:
        context.close()


@pytest.fixture
def visit(new_visit) -> Visit:
    """A page for a stranger."""
    return new_visit()


def in_thread(call: Callable[[], Any]) -> Any:
    """What `call` returns, run where the browser's event loop does not keep Django from reading."""
    answers = []

    def run() -> None:
        from django.db import connection

        answers.append(call())
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answers[0]
