"""The pages as a stranger, as staff and in the demo; nothing outside the media folder is served."""

import pytest
from django.contrib.auth.models import User

from catalog.models import ProductImage
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    world = make_world()
    world.add("bought", (1, 0, 0))
    world.add("alike", (1, 0, 0), popularity=10)
    world.shopper("bought", trendiness=1.0)
    return world


@pytest.fixture
def report(settings, tmp_path):
    settings.FASHREC_HOME = tmp_path
    folder = tmp_path / "reports" / "run"
    folder.mkdir(parents=True)
    (folder / "report.md").write_text(
        "# Findings\n\n<script>alert(1)</script>\n\n| a |\n|---|\n| 1 |\n"
    )
    (folder / "figure_2_masks.png").write_bytes(b"a picture")
    (folder.parent / "latest").symlink_to("run")
    (tmp_path / "secret_key").write_text("secret")
    return folder


def test_a_stranger_sees_products_but_no_shopper(client, world, report):
    page = client.get("/")
    assert "Dresses" in page.text
    assert "Because ann bought" not in page.text
    assert client.get("/?shopper=ann").text == page.text
    assert client.get("/report/").status_code == 404
    assert client.get("/report/figure_2_masks.png").status_code == 404


def test_staff_see_a_shoppers_recommendations_with_terms_that_add_up(client, world):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    page = client.get("/?shopper=ann").text
    assert "Because ann bought" in page
    assert "relevance 1.000: visual 0.700, popularity 0.300, category 0.000" in page


def test_the_demo_shows_shoppers_to_everybody(client, world, settings):
    settings.FASHREC_DEMO = True
    assert "Because ann bought" in client.get("/").text
    assert client.get("/?shopper=nobody").status_code == 404


def test_an_empty_catalogue_says_how_to_fill_it(client, settings):
    settings.FASHREC_DEMO = True
    page = client.get("/").text
    assert "manage.py import_products PATH" in page
    assert "manage.py simulate_purchases" in page
    assert "manage.py evaluate" in page


def test_a_script_in_a_title_is_text(client, world):
    product = world.products["alike"]
    product.title = "<script>alert(1)</script>"
    product.save()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    page = client.get("/").text
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_report_is_a_page_without_raw_html(client, settings, report):
    settings.FASHREC_DEMO = True
    page = client.get("/report/").text
    assert "<h1>Findings</h1>" in page
    assert "<table>" in page
    assert "<script" not in page
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
    ],
)
def test_nothing_else_is_served(client, settings, report, path):
    settings.FASHREC_DEMO = True
    assert client.get(path).status_code == 404
