"""Pages of long lists: the right rows in the right order, found by their keys."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.list_admin import KeysFirstPaginator
from catalog.models import Product
from tests.factories import CategoryFactory, ProductFactory

pytestmark = pytest.mark.django_db
N_PRODUCTS = 7
PER_PAGE = 2


@pytest.fixture
def paginator():
    category = CategoryFactory()
    for n in (3, 1, 6, 0, 5, 2, 4):
        ProductFactory(category=category, item_id=f"item {n}")
    rows = Product.objects.select_related("category").order_by("-item_id")
    return KeysFirstPaginator(rows, PER_PAGE)


def test_every_page_holds_the_rows_of_a_plain_slice_in_its_order(paginator):
    plain = list(paginator.object_list)
    pages = [list(paginator.page(number)) for number in paginator.page_range]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert [product for page in pages for product in page] == plain


def test_the_last_page_is_read_from_its_end_and_joins_nothing_to_find_it(paginator):
    assert paginator.count == N_PRODUCTS
    with CaptureQueriesContext(connection) as captured:
        list(paginator.page(4))
    keys, rows = (query["sql"] for query in captured)
    assert "OFFSET" not in keys
    assert "JOIN" not in keys
    assert "JOIN" in rows


def test_a_list_of_nothing_has_an_empty_page():
    assert list(KeysFirstPaginator(Product.objects.order_by("pk"), PER_PAGE).page(1)) == []
