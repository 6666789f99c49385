"""Products as they are shown come whole, in one statement."""

import pytest

from catalog.models import Product, Store
from catalog.places import Place
from recommender.availability import shown_products
from tests.factories import ProductFactory, ProductImageFactory, StockFactory

pytestmark = pytest.mark.django_db
PARIS = Place(48.8566, 2.3522)


def test_each_is_the_row_with_its_category_and_photos_in_their_order(django_assert_num_queries):
    product = ProductFactory()
    other = ProductFactory(category=product.category, is_active=False)
    photos = {view: ProductImageFactory(product=product, view=view) for view in ("odd", "front")}
    expected = {one.pk: one for one in Product.objects.select_related("category__group")}

    shown = shown_products([product.pk, other.pk, other.pk + 1], PARIS)

    assert shown.keys() == {product.pk, other.pk}
    with django_assert_num_queries(0):
        for pk, row in expected.items():
            found = shown[pk].product
            for field in Product._meta.concrete_fields:
                assert getattr(found, field.attname) == getattr(row, field.attname)
            assert found.category.name == row.category.name
            assert found.category.group.name == row.category.group.name
        of_product = [(photo.pk, photo.view) for photo in shown[product.pk].product.images.all()]
        assert of_product == [(photos["front"].pk, "front"), (photos["odd"].pk, "odd")]
        assert list(shown[other.pk].product.images.all()) == []
        assert shown[other.pk].availability is None


def test_the_store_is_the_nearest_one_and_else_the_first():
    product = ProductFactory()
    rome = Store.objects.create(name="Rome", latitude=41.9028, longitude=12.4964)
    lyon, twin = (
        Store.objects.create(name=name, latitude=45.7578, longitude=4.8320)
        for name in ("Lyon", "Lyon, next door")
    )
    for store in (twin, lyon, rome):
        StockFactory(product=product, store=store, quantity=1)

    measured = shown_products([product.pk], PARIS)[product.pk].availability
    unmeasured = shown_products([product.pk], None)[product.pk].availability

    assert (measured.store.pk, measured.store.name) == (lyon.pk, "Lyon")
    assert measured.distance_km == pytest.approx(391.5, abs=1.0)
    assert (unmeasured.store.pk, unmeasured.distance_km) == (rome.pk, None)


def test_nothing_is_asked_of_no_product(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert shown_products([], PARIS) == {}
