"""Item ids of products that were merged into others: they name the others, and stay so."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError

from catalog.item_ids import lock_named_products
from catalog.models import Product, ProductImage
from catalog.services import import_catalog
from tests.catalog.sources import write_manifest
from tests.factories import ProductFactory, StockFactory, StoreFactory

pytestmark = pytest.mark.django_db
HEADER = "item_id,image,category,title"


@pytest.fixture
def coat() -> Product:
    """A coat, into which another listing of it was merged."""
    coat = ProductFactory(item_id="coat", title="Coat", category__name="Jackets")
    ProductFactory(item_id="old-coat", title="Old", is_active=False, merged_into=coat)
    return coat


def test_an_item_id_names_what_its_product_was_merged_into(coat):
    other = ProductFactory(item_id="hat")
    assert set(Product.objects.named(["old-coat", "hat", "none"])) == {coat, other}
    assert Product.objects.keys_by_item_id() == {
        "coat": coat.pk,
        "old-coat": coat.pk,
        "hat": other.pk,
    }
    assert lock_named_products(["old-coat", "none"]) == {"old-coat": coat.pk}


def test_graphql_finds_it_by_either_item_id(coat, ask):
    StockFactory(product=coat, store=StoreFactory(name="Vienna"))
    query = """{
      product(itemId: "old-coat") { itemId }
      products(filter: {itemId: ["old-coat"]}) { edges { node { itemId } } }
      stores(stocking: "old-coat") { edges { node { name } } }
    }"""
    answer = ask(query)
    assert answer["data"] == {
        "product": {"itemId": "coat"},
        "products": {"edges": [{"node": {"itemId": "coat"}}]},
        "stores": {"edges": [{"node": {"name": "Vienna"}}]},
    }


def test_an_import_of_both_leaves_the_merged_one_out(coat, tmp_path, capsys):
    write_manifest(
        tmp_path,
        HEADER,
        "old-coat,images/a.jpg,Jackets,Stale",
        "coat,images/b.jpg,Jackets,Warm coat",
    )
    for n_stored in (1, 0):
        report = import_catalog(path=tmp_path)
        assert (report.n_products_created, report.n_products_merged) == (0, 1)
        assert report.n_photos_created == n_stored
    coat.refresh_from_db()
    assert coat.title == "Warm coat"
    assert list(ProductImage.objects.values_list("product__item_id", flat=True)) == ["coat"]
    call_command("import_products", str(tmp_path))
    assert "left out, as merged into others: 1;" in capsys.readouterr().out


def test_an_import_of_the_merged_one_alone_tells_of_the_other(coat, tmp_path):
    write_manifest(tmp_path, HEADER, "old-coat,images/a.jpg,Jackets,Renamed coat")
    report = import_catalog(path=tmp_path)
    assert (report.n_products_updated, report.n_products_merged) == (1, 0)
    titles = dict(Product.objects.values_list("item_id", "title"))
    assert titles == {"coat": "Renamed coat", "old-coat": "Old"}
    assert not Product.objects.get(item_id="old-coat").is_active
    assert not ProductImage.objects.exists()  # the photos are those that somebody chose
    assert import_catalog(path=tmp_path).n_products_unchanged == 1


def test_a_merged_product_cannot_be_put_on_sale(coat):
    merged = Product.objects.get(item_id="old-coat")
    merged.is_active = True
    with pytest.raises(ValidationError, match=r"It was merged into coat: undo that first\."):
        merged.full_clean()
    with pytest.raises(IntegrityError, match="merged_product_not_on_sale"):
        merged.save()


def test_no_product_is_merged_into_itself(coat):
    with pytest.raises(IntegrityError, match="product_not_merged_into_itself"):
        Product.objects.filter(pk=coat.pk).update(is_active=False, merged_into=coat)
