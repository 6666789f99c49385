"""The pages as a stranger, as staff and in the demo; nothing outside the media folder is served."""

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Product, ProductImage
from fashrec_site.schema import schema
from fashrec_site.storefront.api import QUERIES, query_text
from shoppers.models import Event, Purchase
from tests.factories import ProductFactory
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rate_limit(settings):
    settings.FASHREC_RATE_LIMIT = ""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def world():
    world = make_world()
    world.add("bought", (1, 0, 0))
    world.add("alike", (1, 0, 0), popularity=10)
    world.shopper("bought", trendiness=1.0)
    return world


@pytest.fixture
def report(own_home):
    folder = own_home / "reports" / "run"
    folder.mkdir(parents=True)
    (folder / "report.md").write_text(
        "# Findings\n\n<script>alert(1)</script>\n\n| a |\n|---|\n| 1 |\n"
    )
    (folder / "figure_2_masks.png").write_bytes(b"a picture")
    (folder.parent / "latest").symlink_to("run")
    (own_home / "secret_key").write_text("secret")
    return folder


@pytest.mark.parametrize("name", sorted(file.stem for file in QUERIES.glob("*.graphql")))
def test_every_query_is_one_that_the_api_understands(name):
    from graphql import parse, validate

    if name != "fragments":
        assert validate(schema._schema, parse(query_text(name))) == []


def test_a_stranger_sees_products_but_no_shopper(client, world, report):
    page = client.get("/").text
    assert "2 products" in page
    assert "Dresses" in page
    assert "Picked for" not in page
    assert "Because" not in client.get("/?shopper=ann").text
    assert client.get("/report/").status_code == 404
    assert client.get("/report/figure_2_masks.png").status_code == 404


def test_staff_see_a_shoppers_recommendations_with_terms_that_add_up(client, world):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    page = client.get("/?shopper=ann").text
    assert "Because ann bought" in page
    terms = "visual 0.700, popularity 0.300, category 0.000, proximity 0.000"
    assert f"relevance 1.000: {terms}" in page


def test_the_demo_shows_shoppers_to_everybody(client, world, settings, report):
    settings.FASHREC_DEMO = True
    page = client.get("/").text
    assert "Because ann bought" in page
    assert 'href="/report/"' in page
    assert client.get("/?shopper=nobody").status_code == 404


def test_a_shopper_sees_their_own_and_nobody_elses(client, world):
    ann = world.shopper("bought", external_id="bea")
    ann.user = User.objects.create_user("bea")
    ann.save()
    client.force_login(ann.user)
    page = client.get("/?shopper=ann").text
    assert "Because you bought" in page
    assert "ann bought" not in page


def test_an_empty_catalogue_says_how_to_fill_it(client, settings):
    settings.FASHREC_DEMO = True
    page = client.get("/").text
    assert "manage.py import_products PATH" in page
    assert "manage.py simulate_purchases" in page
    assert "manage.py evaluate" in page
    assert "Nothing fits all of that" in client.get("/products/").text


def test_a_script_in_a_title_is_text(client, world):
    Product.objects.filter(item_id="alike").update(title="<script>alert(1)</script>")
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    for path in ("/?shopper=ann", "/products/", "/products/alike/"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_report_is_a_page_without_raw_html(client, settings, report):
    settings.FASHREC_DEMO = True
    page = client.get("/report/").text
    assert "<h1>Findings</h1>" in page
    assert "<table>" in page
    assert "<script>alert" not in page
    picture = client.get("/report/figure_2_masks.png")
    assert picture["Content-Type"] == "image/png"
    assert b"".join(picture.streaming_content) == b"a picture"


def test_photos_are_served_with_their_exact_type_and_no_sniffing(client, world):
    image = ProductImage.objects.first()
    response = client.get(image.image.url)
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    with image.image.open() as file:
        assert b"".join(response.streaming_content) == file.read()


@pytest.mark.parametrize(
    "path",
    [
        "/media/../secret_key",
        "/media/%2e%2e/secret_key",
        "/media//etc/passwd",
        "/media/a%00.png",
        "/media/products",
        "/media/nothing.png",
        "/report/..%2f..%2fsecret_key",
        "/report/report.md",
        "/products/nothing/",
    ],
)
def test_nothing_else_is_served(client, settings, report, path):
    settings.FASHREC_DEMO = True
    assert client.get(path).status_code == 404


def test_the_icon_that_every_browser_asks_for_is_there(client):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert finders.find(answer["Location"].removeprefix("/static/"))


def test_an_item_id_may_hold_slashes_as_those_of_folders_do(client):
    ProductFactory(item_id="Dresses/red one", title="A red one")
    assert 'href="/products/Dresses/red%20one/"' in client.get("/products/").text
    assert "A red one" in client.get("/products/Dresses/red%20one/").text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("price_min=-5", "greater than or equal to 0"),
        ("price_min=many", "Enter a number"),
        ("gender=MARTIAN", "filters make no sense"),
        ("store=U3RvcmU6OTk5", "filters make no sense"),
        ("shown=many&after=nonsense", "must be a cursor"),
    ],
)
def test_a_filter_that_makes_no_sense_is_said_on_the_page(client, world, query, told):
    answer = client.get(f"/products/?{query}")
    assert answer.status_code == 200
    assert told in answer.text


def test_too_many_pages_are_refused_with_the_time_to_wait(client, world, settings):
    settings.FASHREC_RATE_LIMIT = "1/hour"
    statuses = [client.get("/products/").status_code for _ in range(2)]
    answer = client.get("/products/")
    assert 429 in [*statuses, answer.status_code]
    assert int(answer["Retry-After"]) > 0


def test_the_pages_outlive_an_api_that_fails(client, world, monkeypatch, caplog):
    monkeypatch.setattr("catalog.schema.models.Product.objects.all", lambda: 1 / 0)
    answer = client.get("/products/")
    assert answer.status_code == 503
    assert "does not answer right now" in answer.text
    assert "division" not in answer.text


def test_the_home_page_outlives_recommendations_that_fail(client, world, settings, monkeypatch):
    settings.FASHREC_DEMO = True
    monkeypatch.setattr("recommender.schema.services.recommend", lambda **_: 1 / 0)
    answer = client.get("/")
    assert answer.status_code == 200
    assert "take a rest right now" in answer.text
    assert "New in" in answer.text


def test_a_product_page_asks_the_database_as_often_for_one_alike_as_for_many(
    client, world, django_assert_max_num_queries
):
    client.get("/products/bought/")  # makes the default profile
    with CaptureQueriesContext(connection) as for_one:
        client.get("/products/bought/")
    for i in range(9):
        world.add(f"more {i}", (1, i / 10, 0))
    with django_assert_max_num_queries(len(for_one)):
        client.get("/products/bought/")


def test_a_stranger_is_recommended_what_goes_with_what_they_looked_at(client, world):
    assert "Picked for" not in client.get("/").text
    client.post("/events/", {"kind": "VIEW", "item": "bought", "key": "k"})
    page = client.get("/").text
    assert "Because you looked at" in page
    assert 'href="/products/alike/?from=' in page


def test_a_form_that_leads_elsewhere_leads_home(client, world):
    key = {"kind": "FAVOURITE", "item": "alike", "key": "k", "next": "https://evil.example/"}
    assert client.post("/events/", key)["Location"] == "/"


def test_what_a_stranger_does_at_once_on_a_products_page_has_one_token(client, world):
    client.get("/")
    assert "visitor" not in client.cookies
    client.get("/products/alike/")
    token = client.cookies["visitor"].value
    for kind in ("VIEW", "FAVOURITE"):
        client.post("/events/", {"kind": kind, "item": "alike", "key": kind})
        assert client.cookies["visitor"].value == token
    assert Event.objects.values("session").distinct().count() == 1


def test_a_strangers_favourite_is_theirs_after_the_signup(client, world):
    event = {"kind": "FAVOURITE", "item": "alike", "key": "k1", "next": "/products/"}
    assert client.post("/events/", event)["Location"] == "/products/"
    assert client.post("/events/", event).status_code == 302  # the same once more
    assert Event.objects.get().shopper is None
    assert 'href="/products/alike/"' in client.get("/favourites/").text
    cookie = client.cookies["visitor"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"

    account = {"username": "cleo", "password": "correct horse 9", "gender": "WOMEN"}
    assert client.post("/signup/", account)["Location"] == "/"
    assert Event.objects.get().shopper.user.username == "cleo"
    assert 'href="/products/alike/"' in client.get("/favourites/").text


def test_a_form_of_another_site_changes_nothing_and_is_told_why(world):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/events/", {"kind": "FAVOURITE", "item": "alike", "key": "k"})
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text
    assert not Event.objects.exists()


def test_a_wrong_password_is_said_beside_the_form(client, world):
    User.objects.create_user("ann", password="correct horse 9")
    answer = client.post("/login/", {"username": "ann", "password": "wrong"})
    assert answer.status_code == 422
    assert "Wrong user name or password." in answer.text


def test_an_order_sent_twice_buys_once_and_tells_which_recommendations_led_there(client, world):
    shopper = world.shopper(external_id="bea")
    shopper.user = User.objects.create_user("bea")
    shopper.save()
    client.force_login(shopper.user)
    led_by = "8c5f5dc1-6a37-4b0c-8a6b-4a9f9f0d6a10"
    client.post("/bag/add/", {"item": "alike", "key": "k", "recommendation": led_by})
    order = {"order": "0c0a1d0e-0000-4000-8000-000000000000"}
    for _ in range(2):
        assert client.post("/checkout/", order)["Location"] == "/checkout/thanks/"
        client.post("/bag/add/", {"item": "alike", "key": "k", "recommendation": led_by})
    assert Purchase.objects.filter(shopper=shopper).count() == 1
    bought = Event.objects.get(kind="purchase")
    assert str(bought.recommendation_id) == led_by


def test_who_is_not_logged_in_logs_in_before_buying(client, world):
    client.post("/bag/add/", {"item": "alike", "key": "k"})
    assert client.get("/checkout/")["Location"] == "/login/?next=%2Fcheckout%2F"
    assert not Purchase.objects.filter(product__item_id="alike").exists()


def test_a_product_that_left_the_shop_leaves_the_bag(client, world):
    client.post("/bag/add/", {"item": "alike", "key": "k"})
    Product.objects.filter(item_id="alike").update(is_active=False)
    assert "Nothing in it yet" in client.get("/bag/").text


def test_only_the_demo_logs_in_as_its_shoppers(client, world, settings):
    ann = world.shopper(external_id="simulated")
    ann.is_simulated = True
    ann.save()
    assert client.post("/demo/login/", {"shopper": "simulated"}).status_code == 404
    settings.FASHREC_DEMO = True
    assert client.post("/demo/login/", {"shopper": "ann"}).status_code == 404
    assert client.post("/demo/login/", {"shopper": "simulated"}).status_code == 302
    assert "demo-simulated" in client.get("/").text
    assert not User.objects.get(username="demo-simulated").has_usable_password()


def test_a_product_that_there_is_not_is_told_in_the_shops_words(client, world):
    answer = client.get("/products/nope/")
    assert answer.status_code == 404
    assert "We do not have that product, or not any more." in answer.text
    assert "Try again" not in answer.text and "staff" not in answer.text


def test_a_stranger_is_not_thanked_for_an_order(client, world):
    assert client.get("/checkout/thanks/")["Location"] == "/"


def test_a_distance_filters_nothing_and_shows_no_chip_without_a_place(client, world):
    assert 'class="chip"' not in client.get("/products/?within=5").text


def test_reasons_on_a_products_page_are_words(client, world):
    page = client.get("/products/bought/").text
    assert "Looks nearly the same." in page
    assert "cosine" not in page


def test_weights_of_nothing_are_told_of_where_the_sliders_are(client, world):
    client.force_login(User.objects.create_superuser("root"))
    page = client.get("/?visual=0&popularity=0&category=0&proximity=0").text
    panel = page[page.index('id="why-detail"') :]
    assert "Something must count" in panel
