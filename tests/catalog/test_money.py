"""Amounts with the shop's currency."""

from decimal import Decimal

import pytest

from catalog.money import money
from tests.factories import ProductFactory, StockFactory


@pytest.mark.parametrize(
    ("amount", "text"), [(Decimal("1234.5"), "CHF 1,234.50"), ("0.1", "CHF 0.10"), (7, "CHF 7.00")]
)
def test_an_amount_has_its_currency_and_two_places(settings, amount, text):
    settings.FASHREC_CURRENCY = "CHF"
    assert money(amount) == text


@pytest.mark.django_db
def test_the_workplace_and_the_api_name_the_currency(admin_client, settings):
    settings.FASHREC_CURRENCY = "CHF"
    product = ProductFactory(item_id="dress", price=Decimal("19.9"))
    assert "CHF 19.90" in admin_client.get("/admin/catalog/product/").content.decode()
    page = admin_client.get(f"/admin/catalog/product/{product.pk}/change/").content.decode()
    assert "Price, CHF" in page
    query = '{ product(itemId: "dress") { price currency } }'
    answer = admin_client.post("/graphql/", {"query": query}, content_type="application/json")
    assert answer.json()["data"] == {"product": {"price": "19.90", "currency": "CHF"}}


@pytest.mark.django_db
def test_a_stock_row_is_called_by_its_product_and_store(admin_client):
    stock = StockFactory(product__title="Dress", store__name="Graz", quantity=2)
    content = admin_client.get(f"/admin/catalog/stock/{stock.pk}/change/").content.decode()
    assert "2 x Dress in Graz" in content
