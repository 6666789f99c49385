"""Popularity is exact whatever writes the purchases, and can be rebuilt."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from catalog.models import Product
from shoppers.models import ProductPopularity, Purchase
from shoppers.services import rebuild_popularity, simulate_purchases
from tests.factories import ProductFactory, PurchaseFactory, ShopperFactory

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def counts(*products):
    by_product = dict(ProductPopularity.objects.values_list("product", "counted"))
    return [by_product[product.pk] for product in products]


def purchases_of(shopper, products):
    return [
        Purchase(shopper=shopper, product=product, purchased_at=NEW_YEAR + timedelta(hours=hour))
        for hour, product in enumerate(products)
    ]


@pytest.mark.django_db
def test_every_way_to_write_a_purchase_counts_it():
    shirt, coat = ProductFactory.create_batch(2)
    assert counts(shirt, coat) == [0, 0]
    purchase = PurchaseFactory(product=shirt)
    Purchase.objects.bulk_create(purchases_of(purchase.shopper, [shirt, coat, coat]))
    assert counts(shirt, coat) == [2, 2]
    purchase.product = coat
    purchase.save()
    assert counts(shirt, coat) == [1, 3]
    Purchase.objects.filter(product=coat).update(product=shirt)
    assert counts(shirt, coat) == [4, 0]
    purchase.shopper.delete()
    assert counts(shirt, coat) == [0, 0]


@pytest.mark.django_db
def test_popularity_is_the_base_and_what_was_counted():
    product = ProductFactory()
    popularity = product.popularity
    popularity.base = 7
    popularity.save()
    PurchaseFactory(product=product)
    popularity.refresh_from_db()
    assert (popularity.base, popularity.counted, popularity.popularity) == (7, 1, 8)


@pytest.mark.django_db
def test_saving_an_old_copy_of_a_popularity_does_not_undo_a_count():
    product = ProductFactory()
    old = ProductPopularity.objects.get(product=product)
    PurchaseFactory(product=product)
    old.base = 5
    old.save()
    old.refresh_from_db()
    assert (old.base, old.counted) == (5, 1)


@pytest.mark.django_db
def test_rebuilding_finds_nothing_wrong_in_what_the_database_counted():
    products = ProductFactory.create_batch(3)
    Purchase.objects.bulk_create(purchases_of(ShopperFactory(), products[:2]))
    assert rebuild_popularity() == 0
    assert counts(*products) == [1, 1, 0]


@pytest.mark.django_db
def test_rebuilding_corrects_wrong_and_missing_counts_and_keeps_bases():
    right, wrong, missing = products = ProductFactory.create_batch(3)
    Purchase.objects.bulk_create(purchases_of(ShopperFactory(), products))
    ProductPopularity.objects.filter(product=wrong).update(counted=99, base=4)
    ProductPopularity.objects.filter(product=missing)._raw_delete("default")
    out = StringIO()
    call_command("rebuild_popularity", stdout=out)
    assert out.getvalue() == "Corrected the popularity of 2 products.\n"
    assert counts(right, wrong, missing) == [1, 1, 1]
    assert ProductPopularity.objects.get(product=wrong).base == 4
    call_command("rebuild_popularity", stdout=out)
    assert out.getvalue().endswith("The popularity of every product was right.\n")


def buy_one_by_one(shopper, products):
    try:
        for purchase in purchases_of(shopper, products):
            purchase.save(force_insert=True)
    finally:
        connection.close()


def buy_at_once(shopper, products):
    try:
        Purchase.objects.bulk_create(purchases_of(shopper, products))
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("buy", [buy_one_by_one, buy_at_once])
def test_clients_that_buy_the_same_products_in_opposing_orders_all_count(buy):
    products = ProductFactory.create_batch(25)
    shoppers = ShopperFactory.create_batch(8)
    orders = [products, products[::-1]] * 4
    with ThreadPoolExecutor(len(shoppers)) as clients:
        list(clients.map(buy, shoppers, orders, timeout=120))  # raises what a client raised
    assert Purchase.objects.count() == 200
    assert counts(*products) == [8] * 25
    assert rebuild_popularity() == 0


@pytest.mark.django_db(transaction=True)
def test_rebuilding_while_clients_buy_loses_no_count():
    products = ProductFactory.create_batch(10)
    shoppers = ShopperFactory.create_batch(4)

    def rebuild_often(_):
        try:
            return [rebuild_popularity() for _ in range(10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as clients:
        buying = [clients.submit(buy_one_by_one, shopper, products) for shopper in shoppers]
        wrong = clients.submit(rebuild_often, None).result(timeout=120)
        for client in buying:
            client.result(timeout=120)
    assert wrong == [0] * 10
    assert counts(*Product.objects.all()) == [4] * 10


@pytest.mark.django_db(transaction=True)
def test_purchases_during_a_simulation_and_its_reset_all_count():
    products = ProductFactory.create_batch(12)
    shoppers = ShopperFactory.create_batch(4)
    orders = [products, products[::-1]] * 2

    def simulate_twice():
        try:
            for seed in (1, 2):
                simulate_purchases(
                    n_shoppers=40, max_purchases=4, n_stores=2, year=2025, seed=seed, reset=True
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as clients:
        simulation = clients.submit(simulate_twice)
        list(clients.map(buy_one_by_one, shoppers, orders, timeout=120))
        simulation.result(timeout=120)
    assert Purchase.objects.filter(is_simulated=False).count() == 48
    assert rebuild_popularity() == 0
