"""Long tables in the admin: found by the exact name of a shopper or a product."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import PurchaseFactory

pytestmark = pytest.mark.django_db
PURCHASES = "/admin/shoppers/purchase/"


def found(client, path, term):
    page = client.get(path, {"q": term})
    return set(page.context["cl"].queryset)


def test_purchases_are_found_by_whoever_bought_or_what_was_bought(admin_client):
    one = PurchaseFactory(shopper__external_id="ann", product__item_id="dress")
    other = PurchaseFactory(shopper__external_id="bea", product=one.product)
    assert found(admin_client, PURCHASES, "dress") == {one, other}
    assert found(admin_client, PURCHASES, " ann ") == {one}
    assert found(admin_client, PURCHASES, "an") == set()


def test_a_search_joins_no_purchase_with_the_names(admin_client):
    PurchaseFactory(shopper__external_id="ann", product__item_id="dress")
    with CaptureQueriesContext(connection) as captured:
        found(admin_client, PURCHASES, "ann")
    counts = [q["sql"] for q in captured if q["sql"].startswith("SELECT COUNT(*)")]
    assert counts
    assert all("JOIN" not in sql for sql in counts)
