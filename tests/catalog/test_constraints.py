"""The database itself refuses what must not be, whoever writes it."""

from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, connection
from django.db.models import ProtectedError

from catalog.models import (
    Category,
    CategorySimilarity,
    Gender,
    GroupSimilarity,
    Product,
    ProductImage,
    Stock,
    Store,
)
from tests.factories import (
    CategoryFactory,
    CategoryGroupFactory,
    ProductFactory,
    ProductImageFactory,
    StockFactory,
    StoreFactory,
)

pytestmark = pytest.mark.django_db


def refuse(constraint, model, rows):
    with pytest.raises(IntegrityError, match=constraint):
        model.objects.bulk_create(rows)


@pytest.mark.parametrize("similarity", [-0.01, 1.01, float("nan")])
def test_similarities_lie_between_0_and_1(similarity):
    a, b = CategoryGroupFactory(), CategoryGroupFactory()
    row = GroupSimilarity(a=a, b=b, similarity=similarity)
    refuse("group_similarity_in_unit_interval", GroupSimilarity, [row])


@pytest.mark.parametrize("similarity", [-0.01, 1.01, float("nan")])
def test_overrides_lie_between_0_and_1(similarity):
    a, b = CategoryFactory(), CategoryFactory()
    row = CategorySimilarity(a=a, b=b, similarity=similarity)
    refuse("category_similarity_in_unit_interval", CategorySimilarity, [row])


def test_a_group_pair_is_stored_once():
    a, b = CategoryGroupFactory(), CategoryGroupFactory()
    rows = [GroupSimilarity(a=a, b=b, similarity=value) for value in (0.2, 0.3)]
    refuse("group_pair_once", GroupSimilarity, rows)


def test_a_group_pair_cannot_be_stored_the_other_way_round():
    a, b = CategoryGroupFactory(), CategoryGroupFactory()
    row = GroupSimilarity(a=b, b=a, similarity=0.2)
    refuse("group_pair_in_key_order", GroupSimilarity, [row])


def test_a_category_pair_is_stored_once():
    a, b = CategoryFactory(), CategoryFactory()
    rows = [CategorySimilarity(a=a, b=b, similarity=value) for value in (0.2, 0.3)]
    refuse("category_pair_once", CategorySimilarity, rows)


def test_a_category_is_no_pair_with_itself():
    a = CategoryFactory()
    row = CategorySimilarity(a=a, b=a, similarity=0.2)
    refuse("category_pair_in_key_order", CategorySimilarity, [row])


def test_item_ids_are_unique():
    product = ProductFactory()
    row = Product(item_id=product.item_id, category=product.category)
    refuse("item_id", Product, [row])


def test_an_item_id_is_not_empty():
    refuse("product_item_id_not_empty", Product, [Product(item_id="", category=CategoryFactory())])


def test_a_price_is_not_negative():
    row = Product(item_id="a", category=CategoryFactory(), price=Decimal("-0.01"))
    refuse("product_price_not_negative", Product, [row])


def test_a_price_is_not_beyond_its_digits():
    row = Product(item_id="a", category=CategoryFactory(), price=Decimal(10) ** 8)
    with pytest.raises((DataError, ArithmeticError)):
        Product.objects.bulk_create([row])


def test_a_gender_is_one_of_the_five():
    row = Product(item_id="a", category=CategoryFactory(), gender="CATS")
    refuse("product_gender_known", Product, [row])


def test_a_product_has_one_photo_per_view():
    image = ProductImageFactory()
    row = ProductImage(product=image.product, view=image.view, image="x.png", sha256="0" * 64)
    refuse("one_photo_per_view", ProductImage, [row])


@pytest.mark.parametrize("values", [{"segmentation_map": "x.png"}, {"segmentation_sha256": "0"}])
def test_a_segmentation_map_and_its_hash_come_together(values):
    row = ProductImage(product=ProductFactory(), view="front", image="x.png", sha256="0", **values)
    refuse("segmentation_map_has_hash", ProductImage, [row])


@pytest.mark.parametrize("latitude", [-90.1, 90.1, float("nan")])
def test_a_latitude_lies_between_the_poles(latitude):
    refuse("store_latitude_in_range", Store, [Store(name="a", latitude=latitude, longitude=0)])


@pytest.mark.parametrize("longitude", [-180.1, 180.1, float("inf")])
def test_a_longitude_lies_within_half_a_turn(longitude):
    refuse("store_longitude_in_range", Store, [Store(name="a", latitude=0, longitude=longitude)])


def test_the_ends_of_every_range_are_allowed():
    StoreFactory(latitude=90, longitude=-180)
    a, b = CategoryGroupFactory(), CategoryGroupFactory()
    GroupSimilarity.objects.create(a=a, b=b, similarity=1)
    assert ProductFactory(price=0).price == 0


def test_a_store_holds_a_product_once():
    stock = StockFactory()
    refuse("one_stock_per_store", Stock, [Stock(product=stock.product, store=stock.store)])


def test_a_stock_is_not_negative():
    row = Stock(product=ProductFactory(), store=StoreFactory(), quantity=-1)
    refuse("quantity", Stock, [row])


def test_a_category_with_products_is_not_deleted():
    product = ProductFactory()
    with pytest.raises(ProtectedError):
        product.category.delete()
    assert Category.objects.filter(pk=product.category_id).exists()


def test_the_primary_photo_is_front_then_full_side_back_else_the_first():
    product, other = ProductFactory(), ProductFactory()
    for view in ("detail", "back", "side", "full"):
        ProductImageFactory(product=product, view=view)
    for view in ("1", "flat"):
        ProductImageFactory(product=other, view=view)
    assert [image.view for image in ProductImage.objects.primary()] == ["full", "1"]
    ProductImageFactory(product=product, view="front")
    assert ProductImage.objects.primary().get(product=product).view == "front"


def test_photos_of_inactive_products_are_not_active():
    ProductImageFactory(product=ProductFactory(is_active=False))
    shown = ProductImageFactory()
    assert list(ProductImage.objects.active()) == [shown]
    assert list(Product.objects.active()) == [shown.product]


def test_genders_see_each_other_as_the_shop_wants():
    assert Gender.WOMEN.compatible() == {Gender.WOMEN, Gender.UNISEX}
    assert Gender.UNISEX.compatible() == set(Gender)
    assert Gender.GIRLS.compatible() == {Gender.GIRLS, Gender.BOYS, Gender.UNISEX}
    assert all(a in b.compatible() for a in Gender for b in a.compatible())


def test_the_view_behind_category_pairs_is_a_view():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_views WHERE viewname = 'catalog_categorypair'")
        assert cursor.fetchone() == (1,)
