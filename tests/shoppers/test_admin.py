"""The admin of shoppers' models: lists cost few queries, counts cannot be edited."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Product
from shoppers.models import Event, ProductPopularity, Purchase, Shopper
from tests.factories import ProductFactory, PurchaseFactory

pytestmark = pytest.mark.django_db


def make_rows(n_rows):
    for purchase in PurchaseFactory.create_batch(n_rows):
        Event.objects.create(
            shopper=purchase.shopper,
            product=purchase.product,
            kind=Event.Kind.VIEW,
            occurred_at=datetime(2025, 1, 1, tzinfo=UTC),
        )


@pytest.mark.parametrize("model", ["shopper", "purchase", "event", "productpopularity"])
def test_a_list_costs_the_same_queries_whatever_its_length(admin_client, model):
    url = reverse(f"admin:shoppers_{model}_changelist")
    n_queries = []
    for n_rows in (1, 10):
        make_rows(n_rows)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin_client.get(url, {"q": ""}).status_code == 200
        n_queries.append(len(queries))
    assert n_queries[0] == n_queries[1], "\n".join(query["sql"] for query in queries)


@pytest.mark.parametrize("model", [Shopper, Purchase, Event, ProductPopularity])
def test_every_row_can_be_opened(admin_client, model):
    make_rows(1)
    url = reverse(f"admin:shoppers_{model._meta.model_name}_change", args=[model.objects.get().pk])
    assert admin_client.get(url).status_code == 200


@pytest.mark.parametrize("model", ["purchase", "event", "productpopularity"])
def test_rows_are_found_by_item_id(admin_client, model):
    make_rows(3)
    item_id = Product.objects.first().item_id
    page = admin_client.get(reverse(f"admin:shoppers_{model}_changelist"), {"q": item_id})
    found = page.context["cl"].result_list
    assert [row.product.item_id for row in found] == [item_id]


def test_a_curator_sets_the_base_and_cannot_touch_the_count(admin_client):
    product = PurchaseFactory().product
    ProductPopularity.objects.filter(product=product).update(base=3, base_is_simulated=True)
    url = reverse("admin:shoppers_productpopularity_change", args=[product.pk])
    assert admin_client.post(url, {"base": 40, "counted": 99}).status_code == 302
    popularity = ProductPopularity.objects.get(product=product)
    assert (popularity.base, popularity.base_is_simulated, popularity.counted) == (40, False, 1)


def test_saving_a_popularity_unchanged_leaves_its_base_simulated(admin_client):
    product = ProductFactory()
    ProductPopularity.objects.filter(product=product).update(base=3, base_is_simulated=True)
    url = reverse("admin:shoppers_productpopularity_change", args=[product.pk])
    admin_client.post(url, {"base": 3})
    assert ProductPopularity.objects.get(product=product).base_is_simulated is True


def test_popularity_is_neither_added_nor_deleted_by_hand(admin_client):
    product = ProductFactory()
    assert admin_client.get(reverse("admin:shoppers_productpopularity_add")).status_code == 403
    url = reverse("admin:shoppers_productpopularity_delete", args=[product.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert ProductPopularity.objects.filter(product=product).exists()
