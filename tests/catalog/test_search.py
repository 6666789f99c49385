"""Text search: words, their beginnings, typos, and a table that the database keeps true."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction

from catalog.models import CategoryGroup, Product, ProductSearch, SearchWord
from catalog.search import search_products
from tests.factories import CategoryFactory, CategoryGroupFactory, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    tops = CategoryGroupFactory(name="Upper_Body")
    tee = CategoryFactory(name="Tees_Tanks", group=tops)
    return {
        title: ProductFactory(title=title, category=tee, color=color, usage=usage)
        for title, color, usage in (
            ("Leather biker jacket", "Black", "Casual"),
            ("Jacquard dress", "Red", "Party"),
            ("Summer dresses for two", "Blue", "Casual"),
            ("T-shirt with Übergröße", "White", "Sports"),
            ("Nike running shoes", "Grey", "Sports"),
        )
    }


def titles(text: str) -> list[str]:
    found = search_products(Product.objects.active(), text)
    return [product.title for product in found.order_by("-search_rank", "id")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jacket", ["Leather biker jacket"]),
        ("JACKETS", ["Leather biker jacket"]),
        ("dress", ["Jacquard dress", "Summer dresses for two"]),
        ("dresses", ["Jacquard dress", "Summer dresses for two"]),
        ("leath", ["Leather biker jacket"]),
        ("jac", ["Leather biker jacket", "Jacquard dress"]),
        ("red dress", ["Jacquard dress"]),
        ("the red dress", ["Jacquard dress"]),
        ("casual dress", ["Summer dresses for two"]),
        ("t-shirt", ["T-shirt with Übergröße"]),
        ("übergröße", ["T-shirt with Übergröße"]),
        ("jakcet", ["Leather biker jacket"]),
        ("jaket", ["Leather biker jacket"]),
        ("leahter jackt", ["Leather biker jacket"]),
        ("jacqard", ["Jacquard dress"]),
        ("drss", ["Jacquard dress", "Summer dresses for two"]),
        ("runing shose", ["Nike running shoes"]),
        ("nkie", ["Nike running shoes"]),
        ("dress jacket", []),
        ("xylophone", []),
        ("red xylophone", []),
        ("dress & | ! ( : *'\\", ["Jacquard dress", "Summer dresses for two"]),
    ],
)
def test_what_is_found(shop, text, expected):
    assert titles(text) == expected


@pytest.mark.parametrize("text", ["", "  !!! ", "the", "for the"])
def test_a_text_without_meaning_asks_for_nothing(shop, text):
    assert len(titles(text)) == 5


@pytest.mark.parametrize("text", ["tanks", "Tees_Tanks", "upper body"])
def test_categories_and_groups_are_words_too(shop, text):
    assert len(titles(text)) == 5


def test_a_title_counts_more_than_a_category(shop):
    ProductFactory(title="Tanks a lot", category=CategoryFactory(name="Other"))
    assert titles("tanks")[0] == "Tanks a lot"


def test_a_known_word_is_not_taken_for_another(shop):
    ProductFactory(title="Press button")
    assert titles("press") == ["Press button"]
    assert "Press button" not in titles("dress")


def test_a_product_is_found_as_soon_as_anything_about_it_changes(shop):
    product = ProductFactory(title="Kimono")
    assert titles("kimono") == ["Kimono"]
    Product.objects.filter(pk=product.pk).update(title="Caftan", color="Turquoise")
    assert titles("kimono") == []
    assert titles("turqoise") == ["Caftan"]
    product.category.name = "Robes"
    product.category.save()
    assert titles("robes") == ["Caftan"]
    CategoryGroup.objects.filter(pk=product.category.group_id).update(name="Nightwear")
    assert titles("nightwear") == ["Caftan"]
    Product.objects.bulk_create([Product(item_id="x", title="Poncho", category=product.category)])
    assert titles("poncho") == ["Poncho"]
    Product.objects.filter(item_id="x").delete()
    assert titles("poncho") == []


def test_the_vocabulary_holds_words_and_no_item_ids(shop):
    ProductFactory(item_id="zzz-17", title="Model 501")
    words = set(SearchWord.objects.values_list("word", flat=True))
    assert {"jacket", "dress", "dresses", "black", "tees", "tanks", "model"} <= words
    assert not words & {"zzz-17", "zzz", "501"}
    assert SearchWord.objects.get(word="tees").trigrams == ["  t", " te", "ees", "es ", "tee"]


def test_the_indexes_serve_both_looks_into_the_tables(shop):
    ProductFactory.create_batch(3)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    found = ProductSearch.objects.filter(document=SearchQuery("jacket"))
    assert "product_search_document" in found.explain()
    near = SearchWord.objects.filter(trigrams__overlap=["jac", "ack"])
    assert "search_word_trigrams" in near.explain()


def test_a_long_text_is_refused(shop):
    with pytest.raises(ValueError, match="at most 200 characters; got 201"):
        titles("x" * 201)


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_new_words_never_wait_for_each_other():
    """Each holds its first product's words, and then writes the other's."""
    category = CategoryFactory()

    def write(title: str, item_id: str) -> None:
        ProductFactory(item_id=item_id, title=title, category=category)

    def other() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '5s'")
                write("Poncho", "b1")
                write("Kimono", "b2")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        write("Kimono", "a1")
        pool.submit(other).result()
        write("Poncho", "a2")
    assert len(titles("kimno")) == len(titles("pncho")) == 2
