"""The simulated year in the database: what is written, what stays, what is refused."""

import csv
from collections import defaultdict
from datetime import UTC, datetime
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from catalog.models import Gender, Product, Stock, Store
from shoppers import simulated_rows
from shoppers.geography import BoundingBox
from shoppers.models import Event, ProductPopularity, Purchase, Shopper
from shoppers.services import (
    SimulationError,
    move_simulated_year,
    rebuild_popularity,
    reset_simulation,
)
from shoppers.services import simulate_purchases as simulate
from tests.factories import (
    CategoryFactory,
    ProductFactory,
    PurchaseFactory,
    StockFactory,
    StoreFactory,
)

pytestmark = pytest.mark.django_db


def simulate_purchases(**options):
    few = {"n_shoppers": 30, "max_purchases": 5, "n_stores": 4, "year": 2025, "seed": 42}
    return simulate(**few | options)


@pytest.fixture
def catalogue():
    """Sixty products of three categories and all genders, one of them not on sale."""
    categories = CategoryFactory.create_batch(3)
    genders = list(Gender)
    products = [
        ProductFactory(item_id=f"item {n:02d}", category=categories[n % 3], gender=genders[n % 5])
        for n in range(60)
    ]
    Product.objects.filter(pk=products[7].pk).update(is_active=False)
    return products


def exported(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_everything_that_is_written_is_marked_as_simulated(catalogue):
    summary = simulate_purchases()
    assert Shopper.objects.filter(is_simulated=True).count() == summary.n_shoppers == 30
    assert Purchase.objects.filter(is_simulated=True).count() == summary.n_purchases
    assert Store.objects.filter(is_simulated=True).count() == summary.n_stores == 4
    assert ProductPopularity.objects.filter(base_is_simulated=True).count() == 59
    assert summary.n_products == 59
    assert not Purchase.objects.filter(is_simulated=False).exists()
    assert list(Store.objects.values_list("name", flat=True)) == [
        f"Simulated store {n}" for n in (1, 2, 3, 4)
    ]


def test_shoppers_buy_active_compatible_products_of_the_year_once(catalogue):
    simulate_purchases(n_shoppers=200, year=2024)
    baskets = defaultdict(list)
    purchases = Purchase.objects.select_related("shopper", "product").order_by("purchased_at", "pk")
    for purchase in purchases:
        assert purchase.purchased_at.year == 2024
        assert purchase.purchased_at.microsecond == 0
        assert purchase.product.is_active
        baskets[purchase.shopper].append(purchase.product)
    assert len(baskets) == 200
    for shopper, products in baskets.items():
        assert 1 <= len(products) <= 5
        assert len(set(products)) == len(products)
        assert shopper.gender == products[0].gender
        assert {product.gender for product in products} <= Gender(shopper.gender).compatible()


def test_the_database_counts_what_was_simulated(catalogue):
    summary = simulate_purchases()
    assert sum(ProductPopularity.objects.values_list("counted", flat=True)) == summary.n_purchases
    assert rebuild_popularity() == 0


def test_replaying_the_stored_year_shows_that_popularity_rises_with_trendiness(catalogue):
    summary = simulate_purchases(n_shoppers=1500)
    active = ProductPopularity.objects.filter(product__is_active=True)
    popularity = dict(active.values_list("product", "base"))
    seen, by_third = set(), ([], [], [])
    for purchase in Purchase.objects.select_related("shopper").order_by("purchased_at", "pk"):
        low, high = min(popularity.values()), max(popularity.values())
        if purchase.shopper_id in seen:
            third = min(int(purchase.shopper.trendiness * 3), 2)
            by_third[third].append((popularity[purchase.product_id] - low) / (high - low))
        seen.add(purchase.shopper_id)
        popularity[purchase.product_id] += 1
    means = [np.mean(third) for third in by_third]
    assert summary.normalized_popularity == pytest.approx(means)
    assert means[0] + 0.03 < means[1] < means[2] - 0.03


def test_each_active_product_is_in_one_store_and_evenly_spread(catalogue):
    simulate_purchases()
    stocked = Stock.objects.values_list("product", "product__category", "store", "quantity")
    assert sorted(row[0] for row in stocked) == sorted(
        Product.objects.active().values_list("pk", flat=True)
    )
    assert {row[3] for row in stocked} == {1}
    for category in {row[1] for row in stocked}:
        per_store = np.unique([row[2] for row in stocked if row[1] == category], return_counts=True)
        assert len(per_store[0]) == 4
        assert np.ptp(per_store[1]) <= 1


def test_each_product_can_be_in_several_stores(catalogue):
    simulate_purchases(stores_per_product=3)
    assert Stock.objects.count() == 59 * 3


def test_stores_and_shoppers_lie_in_the_bounding_box(catalogue):
    simulate_purchases(bounding_box=BoundingBox(south=46, west=9, north=49, east=17))
    for model in (Store, Shopper):
        places = model.objects.values_list("latitude", "longitude")
        assert all(46 <= lat <= 49 and 9 <= lon <= 17 for lat, lon in places)


def test_the_same_seed_exports_the_same_file_whatever_the_primary_keys(catalogue, tmp_path):
    simulate_purchases(export=tmp_path / "first.csv")
    simulate_purchases(export=tmp_path / "second.csv", reset=True)
    reset_simulation()
    rows = list(Product.objects.values("item_id", "category", "gender", "is_active"))
    Product.objects.all().delete()
    for row in reversed(rows):
        row["category_id"] = row.pop("category")
        Product.objects.create(**row)
    simulate_purchases(export=tmp_path / "third.csv")
    simulate_purchases(export=tmp_path / "other.csv", seed=43, reset=True)
    first, second, third, other = (
        (tmp_path / f"{name}.csv").read_bytes() for name in ("first", "second", "third", "other")
    )
    assert first == second == third != other


def test_the_export_lists_all_simulated_purchases_in_order_of_time(catalogue, tmp_path):
    PurchaseFactory(product=catalogue[0])
    summary = simulate_purchases(export=tmp_path / "year.csv")
    rows = exported(tmp_path / "year.csv")
    assert len(rows) == summary.n_purchases
    keys = [(row["timestamp"], row["shopper"], row["item_id"]) for row in rows]
    assert keys == sorted(keys)
    first = Purchase.objects.filter(is_simulated=True).order_by("purchased_at").first()
    assert rows[0] == {
        "shopper": first.shopper.external_id,
        "item_id": first.product.item_id,
        "timestamp": first.purchased_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def test_a_second_run_refuses_and_changes_nothing(catalogue):
    summary = simulate_purchases()
    before = list(Purchase.objects.values_list())
    with pytest.raises(SimulationError) as refusal:
        simulate_purchases(seed=1)
    assert str(refusal.value) == (
        f"A simulated year is already there (30 shoppers, {summary.n_purchases} purchases, "
        "4 stores, 59 base popularities). "
        "Add --reset to replace it; real shoppers, purchases and stores stay."
    )
    assert list(Purchase.objects.values_list()) == before


@pytest.fixture
def real_rows(catalogue):
    """A real purchase, base popularity, store and stock, and names that simulated rows use."""
    purchase = PurchaseFactory(product=catalogue[0], shopper__external_id="simulated-2")
    ProductPopularity.objects.filter(product=catalogue[1]).update(base=1000)
    stock = StockFactory(product=catalogue[2], store=StoreFactory(name="Simulated store 1"))
    return purchase, stock


def real_state():
    return (
        list(Purchase.objects.filter(is_simulated=False).values_list()),
        list(Shopper.objects.filter(is_simulated=False).values_list()),
        list(Store.objects.filter(is_simulated=False).values_list()),
        list(Stock.objects.filter(store__is_simulated=False).values_list()),
        list(ProductPopularity.objects.filter(base__gt=0, base_is_simulated=False).values("base")),
    )


def test_real_rows_stay_through_simulation_and_reset(catalogue, real_rows):
    before = real_state()
    popularity = list(ProductPopularity.objects.order_by("pk").values_list())
    simulate_purchases()
    assert real_state() == before
    simulate_purchases(reset=True, seed=9)
    assert real_state() == before
    reset_simulation()
    assert real_state() == before
    assert not simulated_rows.count_simulated_rows()
    assert list(ProductPopularity.objects.order_by("pk").values_list()) == popularity


def test_simulated_names_leave_out_those_of_real_rows(catalogue, real_rows):
    simulate_purchases(n_shoppers=3, n_stores=2)
    names = Shopper.objects.filter(is_simulated=True).values_list("external_id", flat=True)
    assert list(names) == ["simulated-1", "simulated-3", "simulated-4"]
    stores = Store.objects.filter(is_simulated=True).values_list("name", flat=True)
    assert list(stores) == ["Simulated store 2", "Simulated store 3"]


def test_products_in_real_stores_get_no_simulated_stock(catalogue, real_rows):
    _, stock = real_rows
    simulate_purchases()
    assert list(Stock.objects.filter(product=stock.product)) == [stock]
    assert Stock.objects.filter(store__is_simulated=True).count() == 58


def test_a_real_base_popularity_draws_those_who_follow_trends(catalogue):
    favourite = catalogue[10]
    ProductPopularity.objects.filter(product=favourite).update(base=1_000_000)
    simulate_purchases(n_shoppers=400)
    could = Shopper.objects.filter(gender__in=Gender(favourite.gender).compatible())
    could = could.annotate(n=Count("purchases")).filter(n__gte=4)
    t = dict(could.values_list("pk", "trendiness"))
    buyers = set(Purchase.objects.filter(product=favourite).values_list("shopper", flat=True))
    assert np.mean([pk in buyers for pk in t if t[pk] > 0.7]) > 0.9
    assert np.mean([pk in buyers for pk in t if t[pk] < 0.1]) < 0.4


def test_a_simulated_shopper_with_a_real_purchase_survives_a_reset_as_a_real_one(catalogue):
    simulate_purchases()
    shopper = Shopper.objects.first()
    purchase = PurchaseFactory(shopper=shopper, product=catalogue[0])
    Event.objects.create(
        shopper=Shopper.objects.last(),
        product=catalogue[0],
        kind=Event.Kind.VIEW,
        occurred_at=datetime(2025, 1, 1, tzinfo=UTC),
    )
    there = reset_simulation()
    assert there.n_shoppers == 30
    assert list(Purchase.objects.all()) == [purchase]
    shopper.refresh_from_db()
    assert shopper.is_simulated is False
    simulate_purchases()
    assert Shopper.objects.filter(is_simulated=True).count() == 30


def test_deleting_many_shoppers_goes_in_batches(catalogue, monkeypatch):
    monkeypatch.setattr("shoppers.services.SHOPPERS_PER_DELETE", 7)
    simulate_purchases()
    reset_simulation()
    assert not Shopper.objects.exists()


def test_an_interrupted_simulation_leaves_nothing_behind(catalogue, tmp_path):
    def interrupt(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_purchases(on_progress=interrupt, export=tmp_path / "year.csv")
    assert not simulated_rows.count_simulated_rows()
    assert not Stock.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_its_total(catalogue):
    reports = []
    summary = simulate_purchases(on_progress=lambda *report: reports.append(report))
    assert reports[-1] == (2 * summary.n_purchases, 2 * summary.n_purchases)


def test_a_catalogue_without_active_products_is_refused():
    ProductFactory(is_active=False)
    with pytest.raises(SimulationError) as refusal:
        simulate_purchases()
    assert str(refusal.value) == (
        "The catalogue has no active products; import some first: manage.py import_products PATH"
    )


def test_an_export_to_a_missing_folder_is_refused_before_anything_is_done(catalogue, tmp_path):
    with pytest.raises(SimulationError, match=r"^Cannot export to .*nowhere"):
        simulate_purchases(export=tmp_path / "nowhere" / "year.csv")
    assert not simulated_rows.count_simulated_rows()


def run_command(*arguments):
    out = StringIO()
    call_command("simulate_purchases", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_in_one_line_what_came_of_it(catalogue):
    line = run_command("--shoppers", "20", "--stores=2", "--bounding-box=-35,110,-10,155")
    n_purchases = Purchase.objects.count()
    assert line.startswith(
        f"Simulated 20 shoppers, {n_purchases} purchases of 59 products and 2 stores in "
    )
    assert "Mean NormPop by trendiness third: low 0." in line
    assert all(lat <= -10 for lat in Store.objects.values_list("latitude", flat=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shoppers=0"], "--shoppers must be at least 1, not 0."),
        (
            ["--bounding-box=1,2"],
            "Error: argument --bounding-box: "
            "expected four numbers SOUTH,WEST,NORTH,EAST in degrees, not '1,2'",
        ),
    ],
)
def test_the_command_refuses_what_is_impossible(catalogue, arguments, message):
    with pytest.raises(CommandError) as refusal:
        run_command(*arguments)
    assert str(refusal.value) == message
    assert not simulated_rows.count_simulated_rows()


def test_an_export_that_cannot_be_written_leaves_nothing_behind(catalogue, tmp_path):
    (tmp_path / "year.csv.unfinished").symlink_to(tmp_path / "gone" / "year.csv")
    with pytest.raises(CommandError, match=r"^Cannot export to .*No such file or directory"):
        run_command("--export", str(tmp_path / "year.csv"))
    assert not simulated_rows.count_simulated_rows()


def test_a_simulated_year_may_end_now_and_real_purchases_stay_where_they_are(catalogue):
    real = PurchaseFactory(product=catalogue[0])
    simulate_purchases()
    gaps = Purchase.objects.filter(is_simulated=True).order_by("pk")
    before = list(gaps.values_list("purchased_at", flat=True))
    ending = datetime(2027, 5, 1, 12, tzinfo=UTC)
    for _ in range(2):
        move_simulated_year(ending=ending)
        after = list(gaps.values_list("purchased_at", flat=True))
        assert 0 <= (ending - max(after)).total_seconds() < 86400
        assert {later - earlier for earlier, later in zip(before, after, strict=True)} == {
            max(after) - max(before)
        }
    assert Purchase.objects.get(is_simulated=False).purchased_at == real.purchased_at
    assert rebuild_popularity() == 0
