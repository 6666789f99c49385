"""The pages in a real browser, on a telephone and on a desk; skipped where there is no Chromium."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, Response, Route, sync_playwright

from catalog.models import Stock, Store
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db(transaction=True)

WINDOWS = {"desk": (1440, 900), "telephone": (390, 844)}  # pixels
ARGUMENTS = [
    "--no-sandbox",  # needed by root, who runs the tests in most containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OWN_SOURCES_ONLY = "default-src 'self'; img-src 'self'; style-src 'self'; script-src 'none'"
SHEET = "getComputedStyle(document.body).backgroundColor"
TIMEOUT_MS = 30_000


@dataclass
class Visit:
    """An open page, and all that went wrong on it since it was opened."""

    page: Page
    own_host: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note console errors, exceptions, failed answers and requests to other hosts."""
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("request", lambda request: self._note_host(request.url))
        self.page.on("response", self._note_answer)

    def open(self, url: str) -> None:
        """Go to `url` and scroll down to the end, so that lazy photos load.

        The answer is given a content security policy; violations reach the console.
        """
        self.page.route(url, _with_policy)
        self.page.goto(url)
        for photo in self.page.locator("img").all():
            photo.scroll_into_view_if_needed()
        self.page.wait_for_load_state("networkidle")

    def _note_message(self, message: object) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _note_host(self, url: str) -> None:
        if urlsplit(url).netloc != self.own_host:
            self.complaints.append(f"request to another host: {url}")

    def _note_answer(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} for {response.url}")


def _with_policy(route: Route) -> None:
    answer = route.fetch()
    headers = {**answer.headers, "content-security-policy": OWN_SOURCES_ONLY}
    route.fulfill(response=answer, headers=headers)


@pytest.fixture
def shop(settings, tmp_path) -> None:
    """A shop as the demo shows it: photos, a shopper with reasons, stores, and a report."""
    settings.FASHREC_DEMO = True
    settings.FASHREC_HOME = tmp_path
    world = make_world()
    for i in range(9):
        category = ("Dresses", "Rompers_Jumpsuits", "Sweatshirts_Hoodies")[i % 3]
        world.add(f"item_{i}_" + "m" * 60, (1, i / 4, 1), popularity=10 * i, category=category)
    ids = list(world.products)
    world.shopper(ids[0], ids[4], trendiness=0.8, latitude=48.9, longitude=2.4)
    store = Store.objects.create(name="Far and wide store", latitude=-33.9, longitude=151.2)
    Stock.objects.bulk_create(
        Stock(product=product, store=store) for product in world.products.values()
    )
    _write_report(tmp_path / "reports" / "latest")


def _write_report(folder: Path) -> None:
    """A report with what is hardest to fit: many columns, a long line of code, a broad picture."""
    folder.mkdir(parents=True)
    columns = [f"published value {i}" for i in range(14)]
    row = " | ".join
    table = [row(columns), row("---" for _ in columns), row("64.95 [60.1, 69.8]" for _ in columns)]
    text = ["# Evaluation", "", *table, "", f"`{'x' * 200}`", "", "![Masks](figure_2_masks.png)"]
    (folder / "report.md").write_text("\n".join(text))
    Image.new("RGB", (2400, 900), "white").save(folder / "figure_2_masks.png")


@pytest.fixture
def window() -> str:
    """Which of the windows to look through; tests of the layout look through each."""
    return "desk"


@pytest.fixture
def visit(shop, live_server, window) -> Iterator[Visit]:
    """A browser of that size; opened after the rows are written, as it brings an event loop."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=ARGUMENTS) as browser,
    ):
        width_px, height_px = WINDOWS[window]
        page = browser.new_page(viewport={"width": width_px, "height": height_px})
        page.set_default_timeout(TIMEOUT_MS)
        visit = Visit(page, urlsplit(live_server.url).netloc)
        visit.watch()
        yield visit


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("path", ["/", "/report/"])
def test_a_page_fits_its_window_and_asks_for_nothing_but_its_own(visit, live_server, path):
    visit.open(live_server.url + path)
    page_width, window_width = visit.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert page_width <= window_width
    assert visit.page.evaluate(SHEET) == "rgb(251, 250, 248)", "the style sheet was not applied"
    assert visit.complaints == []


@pytest.mark.parametrize("path", ["/", "/report/"])
def test_every_picture_is_loaded_and_described(visit, live_server, path):
    visit.open(live_server.url + path)
    pictures = visit.page.locator("img").evaluate_all(
        "images => images.map(image => [image.src, image.naturalWidth, image.alt.trim()])"
    )
    assert pictures
    assert [src for src, width_px, alt in pictures if width_px == 0 or not alt] == []


def test_the_terms_that_a_card_shows_add_up_to_its_relevance(visit, live_server):
    visit.open(live_server.url)
    cards = visit.page.locator(".items dl").evaluate_all(
        "lists => lists.map(list => [...list.querySelectorAll('dd')].map(n => Number(n.innerText)))"
    )
    assert len(cards) > 5
    for *terms, relevance in cards:
        assert sum(terms) == pytest.approx(relevance, abs=0.0005 * (len(terms) + 1))


def test_a_keyboard_reaches_the_content_first(visit, live_server):
    visit.open(live_server.url)
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    assert visit.page.url.endswith("#content")
    assert visit.page.locator("main#content").count() == 1
    assert visit.page.locator("h1").count() == 1
