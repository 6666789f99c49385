"""Products in the workplace: the list, a product's page, and another try for a failed photo."""

from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from catalog.models import Product
from embeddings.dispatch import NoWorkerError
from embeddings.models import Embedding, ProductVector
from recommender.merchandising.services import boost
from tests.factories import (
    CategoryFactory,
    EmbeddingFactory,
    ProductImageFactory,
    PurchaseFactory,
    StockFactory,
    photo_bytes,
)
from tests.fashrec_site.workplace.world import staff
from tests.recommender.worlds import make_world

PRODUCTS = "/admin/catalog/product/"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def shop():
    """A dress with a look-alike, purchases and stock; a photo that failed; one that waits."""
    world = make_world()
    world.add("dress", (1, 0, 0), popularity=70)
    world.add("alike", (1, 0.1, 0), popularity=5)
    PurchaseFactory(product=world.products["dress"])
    StockFactory(product=world.products["dress"], quantity=3)
    failed = ProductImageFactory(product__item_id="failed", product__title=SCRIPT)
    EmbeddingFactory(
        image=failed, backbone=world.backbone, state="failed", vector=None, error="it is a cat"
    )
    ProductImageFactory(product__item_id="waiting")
    return world


def listed(client, query=""):
    page = client.get(f"{PRODUCTS}?{query}")
    assert page.status_code == 200
    return {product.item_id for product in page.context["cl"].result_list}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("embedding=ready", {"dress", "alike"}),
        ("embedding=failed", {"failed"}),
        ("embedding=waiting", {"waiting"}),
        ("in_stock=yes", {"dress"}),
        ("in_stock=no", {"alike", "failed", "waiting"}),
        ("popularity__popularity_from=5&popularity__popularity_to=20", {"alike"}),
        ("popularity__popularity_from=x", {"dress", "alike", "failed", "waiting"}),
        ("gender__exact=WOMEN", {"dress", "alike"}),
        ("q=dress", {"dress"}),
    ],
)
def test_the_list_is_narrowed_by_what_curators_ask(admin_client, shop, query, expected):
    assert listed(admin_client, query) == expected


@pytest.mark.django_db
def test_the_list_costs_at_most_twelve_queries_for_any_number(admin_client, shop):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            content = admin_client.get(PRODUCTS).content.decode()
        assert SCRIPT not in content
        return len(captured)

    few = queries()
    for i in range(6):
        product = shop.add(f"more {i}", (1, i, 0), category=f"Category {i}")
        StockFactory(product=product)
    assert queries() == few <= 12


@pytest.mark.django_db
def test_a_products_page_shows_states_neighbours_and_months(admin_client, shop):
    page = admin_client.get(f"{PRODUCTS}{shop.products['dress'].pk}/change/")
    sheet = page.context["sheet"]
    (other,) = sheet.neighbours
    assert other.product.item_id == "alike"
    assert other.similarity == pytest.approx(1 / 1.01**0.5, abs=1e-3)
    assert sheet.months == [("Jan 2025", 1)]
    assert "70 to begin with, 1 purchase counted" in page.content.decode()
    assert admin_client.get(f"{PRODUCTS}add/").status_code == 200


@pytest.mark.django_db
def test_a_masked_photo_shows_the_garment_only(admin_client, client):
    half = Image.new("RGB", (12, 16), (0, 0, 0))  # background
    half.paste((255, 250, 250), (0, 0, 6, 16))
    buffer = BytesIO()
    half.save(buffer, "PNG")
    image = ProductImageFactory(color=(10, 200, 10), segmentation=buffer.getvalue())
    answer = admin_client.get(f"/admin/products/masked/{image.pk}/")
    with Image.open(BytesIO(answer.content)) as shown:
        garment, background = shown.getpixel((2, 8)), shown.getpixel((10, 8))
    assert garment[1] > 150
    assert max(background) < 60
    without = ProductImageFactory()
    assert admin_client.get(f"/admin/products/masked/{without.pk}/").status_code == 404
    client.force_login(staff("nobody"))
    assert client.get(f"/admin/products/masked/{image.pk}/").status_code == 403


@pytest.mark.django_db
def test_a_failed_photo_is_tried_again_by_curators_and_not_by_analysts(
    client, shop, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(
        "embeddings.tasks.embed_images.apply_async", lambda args, **options: sent.append(args)
    )
    failed = Embedding.objects.get(state="failed")
    client.force_login(staff("anna", groups=("analyst",)))
    assert client.post(f"/admin/products/retry/{failed.pk}/").status_code == 403
    client.force_login(staff("carl", groups=("curator",)))
    page = client.get(f"{PRODUCTS}{failed.image.product_id}/change/").content.decode()
    assert "it is a cat" in page
    assert "Try again" in page
    assert SCRIPT not in page
    assert client.get(f"/admin/products/retry/{failed.pk}/").status_code == 405
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"/admin/products/retry/{failed.pk}/").status_code == 302
    assert sent == [([failed.image_id], "hand")]
    assert failed.image in Embedding.objects.images_without(shop.backbone)


@pytest.mark.django_db
def test_bulk_actions_take_off_sale_and_embed_again_without_losing_vectors(
    admin_client, shop, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(
        "embeddings.tasks.embed_images.apply_async", lambda args, **options: sent.append(args)
    )
    dress, alike = shop.products["dress"], shop.products["alike"]
    chosen = {"_selected_action": [dress.pk, alike.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(PRODUCTS, {"action": "look_again", **chosen})
    assert sorted(sent[0][0]) == sorted([dress.images.get().pk, alike.images.get().pk])
    assert Embedding.objects.images_without(shop.backbone).filter(product=dress).exists()
    assert ProductVector.objects.count() == 2
    admin_client.post(PRODUCTS, {"action": "deactivate", **chosen})
    assert set(Product.objects.active().values_list("item_id", flat=True)) == {"failed", "waiting"}
    admin_client.post(PRODUCTS, {"action": "activate", **chosen})
    assert Product.objects.active().count() == 4


@pytest.mark.django_db
def test_products_are_moved_once_the_category_is_chosen(admin_client, shop):
    hats = CategoryFactory(name="Hats")
    dress, alike = shop.products["dress"], shop.products["alike"]
    chosen = {"action": "move", "_selected_action": [dress.pk]}
    page = admin_client.post(PRODUCTS, chosen)
    assert "Move 1 product to another category" in page.content.decode()
    admin_client.post(PRODUCTS, chosen | {"category": "x"})
    assert not Product.objects.filter(category=hats).exists()
    admin_client.post(PRODUCTS, chosen | {"category": hats.pk})
    assert list(Product.objects.filter(category=hats)) == [dress]
    vector = ProductVector.objects.get(product=dress)
    assert vector.category == hats  # the database keeps the copy
    across = chosen | {"category": hats.pk, "select_across": "1"}
    admin_client.post(f"{PRODUCTS}?gender__exact=WOMEN", across)
    assert set(Product.objects.filter(category=hats)) == {dress, alike}


@pytest.mark.django_db
def test_the_progress_page_tells_what_waits_and_what_failed(admin_client, shop, monkeypatch):
    def nobody():
        raise NoWorkerError("nobody")

    monkeypatch.setattr("fashrec_site.workplace.products.progress.require_worker", nobody)
    content = admin_client.get("/admin/products/embedding/").content.decode()
    assert "3 of 4" in content
    assert "1 waiting" in content
    assert "1 failed" in content
    assert "No worker answers" in content
    assert "every 2s" in content
    Product.objects.filter(item_id="waiting").delete()
    content = admin_client.get("/admin/products/embedding/").content.decode()
    assert "3 of 3" in content
    assert "every 2s" not in content


@pytest.mark.django_db(transaction=True)
def test_the_pages_in_a_browser_where_no_title_runs(desk, shop):
    ProductImageFactory(
        product=shop.products["dress"], view="back", segmentation=photo_bytes((255, 250, 250))
    )
    Product.objects.filter(item_id="alike").update(title=SCRIPT + "<img src=x onerror=alert(1)>")
    failed = Product.objects.get(item_id="failed")
    for window in ("desk", "telephone"):
        for path in ("", f"{shop.products['dress'].pk}/change/", f"{failed.pk}/change/"):
            desk.open(PRODUCTS + path, window)
            desk.check()
    boost(products=[shop.products["dress"]], amount=0.1)
    desk.page.emulate_media(color_scheme="dark")
    for window in ("desk", "telephone"):
        desk.open(f"{PRODUCTS}{shop.products['dress'].pk}/change/", window)
        assert desk.page.evaluate("document.documentElement.classList.contains('dark')")
        assert "Boost by 0.10" in desk.page.inner_text("#rules-title + table")
        desk.check()
    Product.objects.filter(item_id="waiting").delete()
    desk.open("/admin/products/embedding/")
    desk.check()
