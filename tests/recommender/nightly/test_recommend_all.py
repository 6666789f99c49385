"""Nightly lists: the same as each shopper's own recommendations, whole or not at all."""

import csv
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from catalog.models import Gender, Product
from recommender.merchandising.services import boost, bury, pin
from recommender.models import RecommendationLog
from recommender.nightly import shoppers
from recommender.nightly.export import COLUMNS
from recommender.nightly.services import recommend_all
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from shoppers.models import Event, Shopper
from tests.factories import ProductFactory
from tests.recommender.worlds import START, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """40 products, of which one has no vector and one is not on sale, and five shoppers."""
    world = make_world(dimension=5)
    rng = np.random.default_rng(11)
    for n in range(40):
        world.add(
            f"item-{n}",
            tuple(rng.normal(size=5)),
            popularity=int(rng.integers(0, 9)),
            category=["Dresses", "Pants", "Tees_Tanks"][n % 3],
            gender=[Gender.WOMEN, Gender.MEN, Gender.UNISEX][n % 3],
            is_active=n != 6,
        )
    world.products["bare"] = ProductFactory(item_id="bare", gender=Gender.WOMEN)
    world.shopper("item-3", "item-8", "item-6", trendiness=0.2, external_id="ann")
    world.shopper("item-4", "item-4", trendiness=0.9, gender=Gender.MEN, external_id="bob")
    world.shopper(trendiness=0.4, external_id="new")
    world.shopper("bare", "item-12", trendiness=0.6, external_id="cis")
    world.shopper("item-5", trendiness=0.5, gender=Gender.UNISEX, external_id="=1+1")
    return world


def settings_of(**changes) -> RankingSettings:
    return RankingSettings.from_profile(default_profile()).with_changes(**changes)


def names_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"media"}


def lists_of(path) -> dict[str, list[dict]]:
    lists: dict[str, list[dict]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            lists.setdefault(row["shopper"], []).append(row)
    return lists


@pytest.mark.parametrize("per_batch", [1, 2, 100])
def test_everyone_gets_what_they_would_be_recommended(shop, tmp_path, per_batch):
    settings = settings_of(k=4, weight_category=0.2)
    summary = recommend_all(
        settings=settings, output=tmp_path / "lists.csv", shoppers_per_batch=per_batch
    )
    lists = lists_of(tmp_path / "lists.csv")
    assert summary.n_shoppers == len(lists) == 5
    assert summary.n_recommendations == sum(len(rows) for rows in lists.values())
    assert_everyone_s_own(lists, settings)


@pytest.mark.parametrize("per_batch", [2, 100])
@pytest.mark.parametrize("weight_popularity", [0.3, 0.0])
def test_with_what_the_shop_boosts_buries_and_pins(shop, tmp_path, per_batch, weight_popularity):
    products = shop.products
    boost(products=[products[f"item-{n}"] for n in (2, 9, 13, 17)], amount=0.4)
    boost(products=[products["item-2"]], amount=1, category=products["item-4"].category)
    bury(products=[products[f"item-{n}"] for n in (0, 1, 11, 30)], amount=0.6)
    bury(products=[products["bare"]], amount=0.1)
    pin(product=products["item-20"], position=2)
    pin(product=products["item-2"], position=3)  # boosted, too
    pin(product=products["item-8"], position=4)  # ann bought it
    pin(product=products["item-33"], position=1, category=products["item-3"].category)
    pin(product=products["bare"], position=60)
    settings = settings_of(k=4, weight_category=0.2, weight_popularity=weight_popularity)

    recommend_all(settings=settings, output=tmp_path / "lists.csv", shoppers_per_batch=per_batch)

    assert_everyone_s_own(lists_of(tmp_path / "lists.csv"), settings)


def assert_everyone_s_own(lists, settings) -> None:
    for shopper in Shopper.objects.all():
        answer = recommend(shopper=shopper, settings=settings, path="exact")
        rows = lists["'=1+1" if shopper.external_id == "=1+1" else shopper.external_id]
        expected = answer.items[:20]
        assert [row["item_id"] for row in rows] == [item.product.item_id for item in expected]
        assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
        assert {row["tier"] for row in rows} == {answer.tier.value}
        assert [int(row["pinned"]) for row in rows] == [item.pinned for item in expected]
        for name in ("relevance", "visual", "popularity", "category", "merchandising"):
            values = [item.relevance if name == "relevance" else getattr(item.terms, name)
                      for item in expected]  # fmt: skip
            assert [float(row[name]) for row in rows] == pytest.approx(values, abs=1e-3)
        because_of = [i.because.product.item_id if i.because else "" for i in expected]
        assert [row["because_of"] for row in rows] == because_of


def test_only_the_newest_purchases_are_compared_with_but_all_are_left_out(
    shop, tmp_path, monkeypatch
):
    monkeypatch.setattr(shoppers, "MAX_RAILS", 1)
    recommend_all(settings=settings_of(k=30), output=tmp_path / "lists.csv", length=100)
    rows = lists_of(tmp_path / "lists.csv")["ann"]
    assert {row["because_of"] for row in rows} == {"item-6"}  # the last, no longer on sale
    assert not {"item-3", "item-8", "item-6"} & {row["item_id"] for row in rows}


def test_what_a_shopper_dismissed_does_not_come(shop, tmp_path):
    first = recommend_all(settings=settings_of(), output=tmp_path / "lists.csv")
    dismissed = lists_of(tmp_path / "lists.csv")["bob"][0]["item_id"]
    Event.objects.create(
        shopper=Shopper.objects.get(external_id="bob"),
        product=Product.objects.get(item_id=dismissed),
        kind="dismissal",
        occurred_at=START + timedelta(days=9),
    )
    again = recommend_all(settings=settings_of(), output=tmp_path / "lists.csv")
    assert again.n_shoppers == first.n_shoppers
    assert dismissed not in {row["item_id"] for row in lists_of(tmp_path / "lists.csv")["bob"]}


def test_without_any_vector_everyone_gets_what_is_popular(tmp_path):
    for n in range(3):
        ProductFactory(item_id=f"p{n}", gender=Gender.WOMEN)
    Shopper.objects.create(external_id="ann", gender=Gender.WOMEN)
    recommend_all(settings=settings_of(), output=tmp_path / "lists.csv", length=2)
    rows = lists_of(tmp_path / "lists.csv")["ann"]
    assert [(row["item_id"], row["tier"]) for row in rows] == [("p0", "POPULAR"), ("p1", "POPULAR")]


def test_an_empty_shop_gives_the_header_alone(tmp_path):
    summary = recommend_all(settings=settings_of(), output=tmp_path / "lists.csv")
    assert (summary.n_shoppers, summary.n_recommendations) == (0, 0)
    assert (tmp_path / "lists.csv").read_text().strip() == ",".join(COLUMNS)


def test_a_run_that_ends_half_way_leaves_the_earlier_file(shop, tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("yesterday's")

    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recommend_all(
            settings=settings_of(), output=path, shoppers_per_batch=2, on_progress=interrupt
        )
    assert names_in(tmp_path) == {"lists.csv"}
    assert path.read_text() == "yesterday's"


def test_the_command_says_how_much_it_wrote_and_logs_nothing(shop, tmp_path):
    printed = StringIO()
    path = tmp_path / "lists.csv"
    call_command("recommend_all", output=path, length=3, stdout=printed)
    assert printed.getvalue().startswith("15 recommendations for 5 shoppers in ")
    assert printed.getvalue().endswith(f"{path}\n")
    assert not RecommendationLog.objects.exists()


def test_impossible_orders_are_refused_in_one_line(shop, tmp_path):
    def error_of(**options) -> str:
        with pytest.raises(CommandError) as refused:
            call_command("recommend_all", **{"output": tmp_path / "lists.csv"} | options)
        return str(refused.value)

    missing = tmp_path / "missing" / "lists.csv"
    assert error_of(output=missing) == (
        f"Cannot write {missing}: expected a file name in a folder that exists."
    )
    assert error_of(length=0) == "the length must be from 1 to 100; got 0"
    assert error_of(k=0) == "k must be from 1 to 100; got 0"
    assert error_of(shoppers_per_batch=0) == "a batch needs at least 1 shopper; got 0"
    assert error_of(backbone="vgg16").startswith("no vectors of a backbone 'vgg16'")
    assert names_in(tmp_path) == set()


def test_batches_read_the_database_three_times_each(shop, tmp_path, django_assert_num_queries):
    settings = settings_of()
    with django_assert_num_queries(1 + 4 + 3 * 3 + 1):  # 5 shoppers are three batches, then none
        recommend_all(settings=settings, output=tmp_path / "lists.csv", shoppers_per_batch=2)
