from hashlib import sha256
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import (
    CategoryPair,
    CategorySimilarity,
    GroupSimilarity,
    Product,
    ProductImage,
    ProductSearch,
    SearchWord,
)
from catalog.thumbnails import thumbnail_url
from tests.factories import (
    CategoryFactory,
    CategoryGroupFactory,
    ProductFactory,
    ProductImageFactory,
    StockFactory,
    photo_bytes,
)

pytestmark = pytest.mark.django_db
# Views and what only the database writes have no admin.
KEPT_BY_THE_DATABASE = (CategoryPair, ProductSearch, SearchWord)
MODELS = [
    model
    for model in apps.get_app_config("catalog").get_models()
    if model not in KEPT_BY_THE_DATABASE and not model.__name__.startswith("Historical")
]


def page(model, action, *arguments):
    return reverse(f"admin:catalog_{model._meta.model_name}_{action}", args=arguments)


def upload(content, name="photo.png"):
    return SimpleUploadedFile(name, content)


def stored_files():
    return {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


@pytest.fixture
def one_of_each():
    CategorySimilarity.objects.create(a=CategoryFactory(), b=CategoryFactory(), similarity=0.5)
    a, b = CategoryGroupFactory(), CategoryGroupFactory()
    GroupSimilarity.objects.create(a=a, b=b, similarity=0.5)
    stock = StockFactory()
    ProductImageFactory(product=stock.product)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_listed_searched_and_opened(admin_client, one_of_each, model):
    row = model.objects.first()
    for url in (
        page(model, "changelist"),
        f"{page(model, 'changelist')}?q=x",
        page(model, "add"),
        page(model, "change", row.pk),
    ):
        assert admin_client.get(url).status_code == 200


def test_every_model_that_people_write_has_its_admin():
    assert set(MODELS) <= set(admin.site._registry)


def test_the_product_list_shows_primary_photos_in_as_many_queries_for_any_number(admin_client):
    def queries_needed():
        with CaptureQueriesContext(connection) as captured:
            response = admin_client.get(page(Product, "changelist"))
        return len(captured), response.content.decode()

    front = ProductImageFactory(view="front")
    ProductImageFactory(product=front.product, view="back")
    few, content = queries_needed()
    assert content.count('loading="lazy"') == 1 and thumbnail_url(front.image, 160) in content
    for _ in range(5):
        ProductImageFactory()
    many, content = queries_needed()
    assert content.count('loading="lazy"') == 6
    assert many == few


def test_script_in_a_title_and_a_category_is_shown_not_run(admin_client):
    script = "<script>alert(1)</script>"
    image = ProductImageFactory(
        product=ProductFactory(title=script, category__name=f"{script}1"), view="<b>"
    )
    other = CategoryFactory()
    for url in (
        page(Product, "changelist"),
        page(ProductImage, "changelist"),
        page(Product, "change", image.product_id),
        page(type(other), "change", other.pk),
    ):
        content = admin_client.get(url).content.decode()
        assert script not in content
        assert "&lt;script&gt;alert(1)" in content


def test_a_category_shows_its_similarities_and_where_they_come_from(admin_client):
    group = CategoryGroupFactory()
    category = CategoryFactory(group=group)
    CategoryFactory(name="Near", group=group)
    CategoryFactory(name="Far")
    content = admin_client.get(page(type(category), "change", category.pk)).content.decode()
    assert (
        "<tr><td>Near</td><td>0.8</td><td>within group</td></tr>"
        "<tr><td>Far</td><td>0.1</td><td>default</td></tr>"
    ) in content


def test_an_uploaded_photo_is_hashed_and_named_by_its_content(admin_client):
    content, found_map = photo_bytes(image_format="JPEG"), photo_bytes((0, 0, 0))
    response = admin_client.post(
        page(ProductImage, "add"),
        {
            "product": ProductFactory().pk,
            "view": "front",
            "image": upload(content, "../<x>.png"),
            "segmentation_map": upload(found_map),
        },
    )
    assert response.status_code == 302
    image = ProductImage.objects.get()
    assert image.sha256 == sha256(content).hexdigest()
    assert image.segmentation_sha256 == sha256(found_map).hexdigest()
    assert image.image.name.startswith("products/") and image.image.name.endswith(".jpg")
    with image.image.open() as stored:
        assert stored.read() == content


@pytest.mark.parametrize(
    ("field", "content", "message"),
    [
        ("image", photo_bytes(image_format="GIF"), "it is not a JPEG, PNG or WEBP image"),
        ("image", photo_bytes(size=(64, 64))[:-30], "it cannot be decoded"),
        ("segmentation_map", photo_bytes(image_format="JPEG"), "it is not a PNG image"),
    ],
)
def test_an_unreadable_upload_is_refused_in_words(admin_client, field, content, message):
    files = {"image": upload(photo_bytes()), field: upload(content)}
    data = {"product": ProductFactory().pk, "view": "front", **files}
    response = admin_client.post(page(ProductImage, "add"), data)
    assert message in response.context["adminform"].form.errors[field][0]
    assert not ProductImage.objects.exists() and stored_files() == set()


def test_a_replaced_photo_gets_its_new_hash_and_the_old_file_goes(
    admin_client, django_capture_on_commit_callbacks
):
    image = ProductImageFactory(color=(1, 2, 3), segmentation=photo_bytes((0, 0, 0)))
    content = photo_bytes((9, 9, 9))
    data = {"product": image.product_id, "view": "back", "image": upload(content)}
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(page(ProductImage, "change", image.pk), data)
    changed = ProductImage.objects.get()
    assert (changed.pk, changed.view) == (image.pk, "back")
    assert changed.sha256 == sha256(content).hexdigest()
    assert changed.segmentation_sha256 == image.segmentation_sha256
    assert stored_files() == {Path(changed.image.path), Path(changed.segmentation_map.path)}


def test_a_cleared_map_loses_its_hash_and_its_file(
    admin_client, django_capture_on_commit_callbacks
):
    image = ProductImageFactory(segmentation=photo_bytes((0, 0, 0)))
    data = {"product": image.product_id, "view": "front", "segmentation_map-clear": "on"}
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(page(ProductImage, "change", image.pk), data)
    changed = ProductImage.objects.get()
    assert (changed.segmentation_map.name, changed.segmentation_sha256) == ("", "")
    assert stored_files() == {Path(changed.image.path)}


def test_a_photo_replaced_on_its_products_page_gets_its_new_hash(
    admin_client, django_capture_on_commit_callbacks
):
    image = ProductImageFactory(color=(1, 2, 3))
    content = photo_bytes((9, 9, 9))
    product = image.product
    data = {
        "item_id": product.item_id,
        "gender": product.gender,
        "category": product.category_id,
        "images-TOTAL_FORMS": 1,
        "images-INITIAL_FORMS": 1,
        "images-0-id": image.pk,
        "images-0-product": product.pk,
        "images-0-view": "front",
        "images-0-image": upload(content),
        "stock-TOTAL_FORMS": 0,
        "stock-INITIAL_FORMS": 0,
    }
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(page(Product, "change", product.pk), data)
    assert response.status_code == 302
    changed = ProductImage.objects.get()
    assert changed.sha256 == sha256(content).hexdigest()
    assert stored_files() == {Path(changed.image.path)}


def test_a_similarity_entered_the_other_way_round_is_stored_in_key_order(admin_client):
    a, b = CategoryFactory(), CategoryFactory()
    admin_client.post(page(CategorySimilarity, "add"), {"a": b.pk, "b": a.pk, "similarity": "0.35"})
    stored = CategorySimilarity.objects.get()
    assert (stored.a, stored.b, stored.similarity) == (a, b, 0.35)


def test_a_stranger_sees_no_admin(client):
    assert client.get(page(Product, "changelist")).status_code == 302
