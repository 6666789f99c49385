"""Every page at a desk and on a telephone: it fits, is accessible, and asks for its own files."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.fashrec_site.storefront.conftest import WINDOWS

PAGES = [
    "/",
    "/?why=item-12&shopper=simulated-1",
    "/products/",
    "/products/?q=nothing-like-this",
    "/products/item-59/",
    "/products/item-5/",
    "/products/item-56/",
    "/place/?next=/",
    "/login/",
    "/signup/",
    "/favourites/",
    "/bag/",
    "/report/",
]
WEIGHT_LIMIT_BYTES = 200_000


def violations(page) -> list[str]:
    """What axe-core calls serious or critical on the page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {json.dumps([node['html'] for node in one['nodes']])[:500]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_its_window_is_accessible_and_complains_of_nothing(visit, path, window):
    visit.open(path)
    page_width, window_width = visit.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert page_width <= window_width
    assert violations(visit.page) == []
    assert visit.page.locator("h1").count() == 1
    assert visit.page.evaluate("document.body.dataset.attacked") is None
    assert visit.complaints == []


@pytest.mark.parametrize("path", ["/", "/products/", "/products/item-1/", "/report/"])
def test_every_picture_is_loaded_described_and_keeps_its_place(visit, path):
    visit.open(path)
    pictures = visit.page.locator("img")
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
    visit.page.wait_for_load_state("networkidle")
    found = pictures.evaluate_all(
        "all => all.map(i => [i.src, i.naturalWidth, i.alt.trim(), i.hasAttribute('width')])"
    )
    assert found
    wrong = [src for src, width_px, alt, is_sized in found if width_px == 0 or not alt]
    assert wrong == []
    assert path == "/report/" or all(is_sized for *_, is_sized in found)


@pytest.mark.parametrize("path", ["/?shopper=simulated-1", "/products/", "/products/item-1/"])
def test_the_first_view_is_light_without_its_photos(visit, path):
    sizes = {}

    def note(response):
        if "/media/" not in response.url:
            sizes[response.url] = len(response.body())

    visit.page.on("requestfinished", lambda request: note(request.response()))
    visit.open(path)
    visit.page.wait_for_load_state("networkidle")
    assert any(url.endswith(".css") for url in sizes)
    assert sum(sizes.values()) < WEIGHT_LIMIT_BYTES, sizes


def test_nothing_moves_while_the_photos_load(visit):
    visit.page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({type: "layout-shift", buffered: true});"""
    )
    visit.open("/products/")
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate("window.shift") < 0.02
