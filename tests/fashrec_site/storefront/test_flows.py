"""What a visitor does, from the first filter to the order, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from shoppers.models import Event, Purchase
from tests.fashrec_site.storefront.conftest import WINDOWS, in_thread
from tests.fashrec_site.storefront.shop import N_PRODUCTS
from tests.fashrec_site.storefront.test_layout import violations

CARDS = "#products .card"


def log_in_as(visit, shopper: str) -> None:
    visit.open("/login/?next=/")
    visit.page.get_by_role("button", name=re.compile(rf"^{shopper}\b")).click()
    visit.page.wait_for_url(visit.base + "/")


def numbers(page) -> list[float]:
    """The terms that the open panel shows, and their sum as the last."""
    return [float(text) for text in page.locator("#why-detail dd").all_inner_texts()]


def item_ids(page) -> list[str]:
    tiles = page.locator("#picks .grid .tile").evaluate_all("all => all.map(a => a.pathname)")
    return [path.split("/")[2] for path in tiles]


def stored(**conditions) -> int:
    return in_thread(lambda: Event.objects.filter(**conditions).count())


@pytest.mark.parametrize("window", WINDOWS)
def test_filters_narrow_the_catalogue_in_place_and_the_back_button_undoes_them(visit, window):
    page = visit.page
    visit.open("/products/")
    expect(page.locator(".found")).to_have_text(f"{N_PRODUCTS} products")
    if window == "telephone":
        page.locator(".filters > summary").click()
    page.evaluate("window.stayed = true")
    page.locator(".fold summary", has_text="Category").click()
    page.get_by_label("Rompers Jumpsuits").check()
    expect(page.locator(".found")).to_have_text("20 products")
    page.get_by_label("to", exact=True).fill("30")
    page.get_by_label("to", exact=True).press("Tab")
    expect(page.locator(".found")).to_have_text("6 products")
    assert page.evaluate("window.stayed")
    assert page.url.endswith("/products/?category=Rompers_Jumpsuits&price_max=30")
    page.go_back()
    expect(page.locator(".found")).to_have_text("20 products")
    page.get_by_role("link", name="Remove Rompers Jumpsuits").click()
    expect(page.locator(".found")).to_have_text(f"{N_PRODUCTS} products")
    assert visit.complaints == []


@pytest.mark.parametrize("window", WINDOWS)
def test_the_catalogue_goes_on_as_one_scrolls_and_back_finds_the_place_again(visit, window):
    page = visit.page
    visit.open("/products/")
    for n in (48, N_PRODUCTS):
        page.locator(".more").scroll_into_view_if_needed()
        expect(page.locator(CARDS)).to_have_count(n)
    hrefs = page.locator(f"{CARDS} .tile").evaluate_all("all => all.map(a => a.pathname)")
    assert len(set(hrefs)) == N_PRODUCTS
    card = page.locator(CARDS).nth(40)
    card.scroll_into_view_if_needed()
    card.locator(".tile").click()
    page.wait_for_url(re.compile(r"/products/item-\d+/"))
    page.go_back()
    page.wait_for_load_state("networkidle")
    expect(page.locator(CARDS)).to_have_count(N_PRODUCTS)
    expect(page.locator(CARDS).nth(40)).to_be_in_viewport()
    assert visit.complaints == []


def test_show_more_by_keyboard_goes_on_at_the_first_product_that_it_brought(visit):
    page = visit.page
    page.add_init_script("window.IntersectionObserver = class { observe() {} disconnect() {} }")
    visit.open("/products/")
    page.get_by_role("link", name="Show more").press("Enter")
    expect(page.locator(CARDS)).to_have_count(48)
    expect(page.locator(CARDS).nth(24).locator(".tile")).to_be_focused()


@pytest.mark.parametrize("window", WINDOWS)
def test_why_this_adds_up_and_sliders_rank_again_in_place_by_keyboard(visit, window):
    page = visit.page
    log_in_as(visit, "simulated-1")
    page.evaluate("window.stayed = true")
    why = page.locator("#picks .grid a.why").first
    why.press("Enter")
    panel = page.get_by_role("dialog", name="Why this?")
    expect(panel).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    assert violations(page) == []
    before, order = numbers(page), item_ids(page)
    assert sum(before[:-1]) == pytest.approx(before[-1], abs=0.002)
    assert before[2] == 0

    slider = panel.get_by_label("Kind of garment")
    slider.focus()
    with page.expect_response(re.compile(r"category=1")):
        slider.press("End")
    expect(panel.locator("#why-detail dd").nth(2)).not_to_have_text("0.000")
    expect(slider).to_be_focused()
    after = numbers(page)
    assert sum(after[:-1]) == pytest.approx(after[-1], abs=0.002)
    assert item_ids(page) != order
    bar = panel.locator("svg.terms").get_attribute("aria-label")
    assert f"relevance {after[-1]:.3f}" in bar

    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#picks .grid a.why").first).to_be_visible()
    assert page.evaluate("window.stayed")
    assert visit.complaints == []


def test_what_is_not_for_me_never_comes_back(visit):
    page = visit.page
    log_in_as(visit, "simulated-3")
    first = item_ids(page)[0]
    page.locator("#picks .grid a.why").first.click()
    page.get_by_role("button", name="Not for me").click()
    page.wait_for_load_state("load")
    assert first not in item_ids(page)
    assert stored(kind="dismissal", product__item_id=first) == 1


def test_a_closed_panel_gives_the_focus_back(visit):
    page = visit.page
    visit.open("/?shopper=simulated-2")
    why = page.locator(".rail a.why").nth(1)
    why.press("Enter")
    page.get_by_role("link", name="Close").press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(why).to_be_focused()


def test_weights_of_nothing_are_refused_in_words(visit):
    visit.open("/?shopper=simulated-1&visual=0&popularity=0&category=0")
    expect(visit.page.get_by_role("alert")).to_contain_text("Something must count")
    assert len(item_ids(visit.page)) > 9


@pytest.mark.parametrize("window", WINDOWS)
def test_a_stranger_likes_signs_up_buys_and_is_recommended_what_goes_with_it(visit, window):
    page = visit.page
    visit.open("/products/item-30/")
    expect(page.locator(".facts .favourite button")).to_have_attribute("aria-pressed", "false")
    page.locator(".facts .favourite button").press("Enter")
    expect(page.locator(".facts .favourite button")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".facts .favourite button")).to_be_focused()
    visit.open("/favourites/")
    expect(page.locator(".grid .tile")).to_have_attribute("href", "/products/item-30/")

    visit.open("/products/item-31/")
    page.get_by_role("button", name="Put into the bag").click()
    page.get_by_role("link", name="To the checkout").click()
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("User name").fill(f"cleo-{window}")
    page.get_by_label("Password").fill("correct horse 9")
    page.get_by_label("I buy for").select_option("WOMEN")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Checkout")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Buy now").click()
    page.get_by_role("link", name="See what goes with it").click()
    heading = page.get_by_role("heading", name="Because you bought Garment number 31")
    expect(heading).to_be_visible()
    assert "item-31" not in item_ids(page)
    visit.open("/favourites/")
    expect(page.locator(".grid .tile")).to_have_attribute("href", "/products/item-30/")
    name = f"cleo-{window}"
    n = in_thread(lambda: Purchase.objects.filter(shopper__user__username=name).count())
    assert n == 1
    assert visit.complaints == []


def test_a_product_that_was_looked_at_is_recorded_once_with_where_it_came_from(visit):
    page = visit.page
    log_in_as(visit, "simulated-3")
    n_before = stored(kind="view", recommendation_id__isnull=False)
    page.locator("#picks .grid .tile").first.click()
    page.wait_for_url(re.compile(r"\?from="))
    page.wait_for_load_state("networkidle")
    assert stored(kind="view", recommendation_id__isnull=False) == n_before + 1


@pytest.mark.parametrize("window", WINDOWS)
def test_a_place_shows_how_far_the_stores_are(visit, window):
    page = visit.page
    visit.open("/products/item-4/")
    page.locator("#stock ~ p a").click()
    page.get_by_label("Near a store").select_option(label="Paris, Rue de la Paix")
    page.get_by_role("button", name="I am near this one").click()
    first, second = page.locator(".stores li").all()
    expect(first).to_contain_text("Paris, Rue de la Paix")
    expect(first).to_contain_text("0 km")
    expect(second).to_contain_text("16,9")
    visit.open("/")
    expect(page.locator("#near + .lead")).to_contain_text("In stock at Paris, Rue de la Paix")
    assert visit.complaints == []


def test_the_browsers_own_location_is_taken_where_it_is_given(new_visit, base):
    paris = {"latitude": 48.86, "longitude": 2.35}
    visit = new_visit(geolocation=paris, permissions=["geolocation"])
    visit.open("/place/?next=/products/item-4/")
    visit.page.get_by_role("button", name="Use my location").click()
    expect(visit.page.locator(".stores li").first).to_contain_text("2 km")


def test_without_scripts_the_shop_works_by_links_and_forms(new_visit):
    visit = new_visit(java_script_enabled=False)
    page = visit.page
    visit.open("/products/?category=Dresses&price_max=1000")
    expect(page.locator(CARDS)).to_have_count(20)
    visit.open("/products/")
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(CARDS)).to_have_count(48)
    page.locator(f"{CARDS} .favourite button").first.click()
    expect(page.locator(f"{CARDS} .favourite [aria-pressed=true]")).to_have_count(1)
    visit.open("/?shopper=simulated-1")
    page.locator("#picks a.why").first.click()
    expect(page.locator("#why")).to_contain_text("Relevance")
    page.get_by_role("button", name="Rank again").click()
    assert "visual=" in page.url
    assert visit.complaints == []


def test_a_failing_api_is_told_and_the_page_stays(visit, monkeypatch):
    page = visit.page
    visit.open("/products/")
    monkeypatch.setattr("fashrec_site.storefront.catalogue.ask", lambda *a, **v: 1 / 0)
    page.get_by_label("Sort by").select_option("PRICE_ASC")
    expect(page.locator("#status")).to_contain_text("did not work")
    expect(page.locator(CARDS).first).to_be_visible()


def test_a_keyboard_reaches_the_content_first(visit):
    visit.open("/")
    visit.page.keyboard.press("Tab")
    expect(visit.page.locator(".skip")).to_be_in_viewport()
    visit.page.keyboard.press("Enter")
    assert visit.page.url.endswith("#content")
    expect(visit.page.locator("#content")).to_be_focused()
