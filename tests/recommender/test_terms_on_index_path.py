"""Merchandising and proximity on the index path: what it calls proven is what the exact path finds.

The exact path is the oracle. Draws are adversarial: what would be recommended is buried, streams
are cut short, stores share distances, weights are 0.
"""

import random
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Gender, Product, Stock, Store
from catalog.places import Place
from recommender.candidates import StreamSizes
from recommender.filtered import rank_filtered
from recommender.merchandising.rules import Boost
from recommender.popular import rank_by_popularity
from recommender.proximity import store_proximities
from recommender.retrieval import rank_for_purchases, search_indexes
from tests.recommender.test_retrieval import (
    crowd,  # noqa: F401 - a fixture
    rails,
    settings_with,
    shopper_query,
)

pytestmark = pytest.mark.django_db(transaction=True)

WEIGHTS = [(0.7, 0.3, 0.0, 0.0), (0.7, 0.2, 0.1, 0.2), (0.0, 1.0, 0.0, 0.3), (0.5, 0.0, 0.0, 2.0)]
SIZES = [None, StreamSizes(10, 10, 16, 40), StreamSizes(60, 50, 32, 400)]
HERE, NOWHERE = Place(48.2, 16.4), Place(-45.0, -120.0)


@pytest.fixture
def shop(crowd):  # noqa: F811
    """The crowd with prices, and stores from next door to the other end of the world."""
    draw = random.Random(1)
    keys = list(Product.objects.order_by("pk").values_list("pk", flat=True))
    kilometres = [0, 3, 3, 12, 40, 49, 60, 300, 15_000]  # two are as far
    stores = [
        Store.objects.create(name=f"{n}", latitude=48.2 - km / 111.2, longitude=16.4)
        for n, km in enumerate(kilometres)
    ]
    Stock.objects.bulk_create(
        Stock(product_id=key, store=store, quantity=draw.choice([0, 1, 5]))
        for store in stores
        for key in draw.sample(keys, 60)
    )
    Product.objects.filter(pk__in=keys[::3]).update(price=20)
    return crowd


def drawn_boosts(draw: random.Random, best: list[int]) -> list[Boost]:
    """Of what would be recommended much is buried; others are boosted, some beside a category."""
    keys = list(Product.objects.values_list("pk", flat=True))
    categories = [None, *Category.objects.values_list("pk", flat=True)]
    buried = [Boost(key, draw.choice([None, None, *categories]), -draw.random()) for key in best]
    boosted = [
        Boost(key, draw.choice(categories), draw.choice([-0.2, 0.1, 0.3, 1.5]))
        for key in draw.sample(keys, 20)
    ]
    unique = {(boost.product_id, boost.category_id): boost for boost in [*buried, *boosted]}
    return list(unique.values())


def test_proven_rails_are_the_exact_ones(shop):
    draw = random.Random(2)
    n_rails = n_proven = hits = 0
    for trial in range(30):
        visual, popularity, category, proximity = WEIGHTS[trial % len(WEIGHTS)]
        settings = settings_with(
            shop,
            weight_visual=visual,
            weight_popularity=popularity,
            weight_category=category,
            weight_proximity=proximity,
        )
        filters = draw.choice([{}, {}, {"price_range": (10, 30)}])
        query = shopper_query(*draw.sample(range(2_000), 3), trendiness=draw.random(), **filters)
        if trial % 3:
            query = replace(query, proximities=store_proximities(HERE))
        if trial % 3 != 1:
            best = rank_for_purchases(query, settings.with_pool(60), path="exact").rows
            query = replace(query, boosts=drawn_boosts(draw, [row.product_id for row in best]))
        found = rank_for_purchases(
            query, settings, path=draw.choice(["index", "index", None]), start=draw.choice(SIZES)
        )
        exact = rails(rank_for_purchases(query, settings, path="exact"))
        for purchase_id, rail in rails(found).items():
            relevance = [row.terms.relevance for row in rail]
            wanted = [row.terms.relevance for row in exact[purchase_id]]
            if purchase_id in found.proven:
                assert relevance == pytest.approx(wanted, abs=1e-6)
                n_proven += 1
            n_rails += 1
            hits += sum(value >= wanted[-1] - 1e-6 for value in relevance) / len(wanted)
    assert n_rails == 90
    assert n_proven > n_rails / 2
    assert hits / n_rails > 0.95


def test_terms_are_the_same_on_every_path(shop):
    settings = settings_with(shop, weight_category=0.1, weight_proximity=0.4)
    query = shopper_query(3, 9, price_range=(10, 30), proximities=store_proximities(HERE))
    best = [row.product_id for row in rank_for_purchases(query, settings, path="exact").rows]
    category = Category.objects.first().pk
    everywhere = [Boost(best[0], None, -0.9), Boost(best[1], None, 0.1)]
    for boosts in (everywhere, [*everywhere, Boost(best[1], category, 0.2)]):
        query = replace(query, boosts=boosts)
        exact = rails(rank_for_purchases(query, settings, path="exact"))
        by_index = rails(rank_for_purchases(query, settings, path="index"))
        filtered = rank_filtered(query, settings, search_indexes(shop), 64)

        assert any(row.terms.merchandising for rail in exact.values() for row in rail)
        assert any(row.terms.proximity for rail in exact.values() for row in rail)
        for purchase_id, rail in exact.items():
            terms = [(row.product_id, row.terms) for row in rail]
            assert [(row.product_id, row.terms) for row in by_index[purchase_id]] == terms
            assert [(row.product_id, row.terms) for row in filtered[purchase_id].rows] == terms


def test_a_category_that_was_asked_for_decides_which_rules_hold(shop):
    asked, other = Category.objects.order_by("pk")[:2]
    of_asked = list(Product.objects.filter(category=asked, gender=Gender.WOMEN)[:2])
    boosts = [Boost(of_asked[0].pk, asked.pk, 2.0), Boost(of_asked[1].pk, other.pk, 2.0)]
    bought = Product.objects.filter(category=other).values_list("item_id", flat=True)[0]
    query = shopper_query(int(bought[1:]), boosts=boosts)
    for path in ("exact", "index", None):
        unasked = rank_for_purchases(query, settings_with(shop), path=path).rows
        assert unasked[0].product_id == of_asked[1].pk  # beside what was bought
        narrow = replace(query, category_ids=[asked.pk])
        rows = rank_for_purchases(narrow, settings_with(shop), path=path).rows
        assert rows[0].product_id == of_asked[0].pk
        assert rows[0].terms.merchandising == 2.0


def test_nothing_near_and_no_store_at_all(shop):
    settings = settings_with(shop, weight_proximity=0.5)
    plain = rails(rank_for_purchases(shopper_query(1, 2), settings, path="index"))
    query = shopper_query(1, 2, proximities=store_proximities(NOWHERE))
    far = rank_for_purchases(query, settings, path="index")
    assert far.proven
    for purchase_id, rail in rails(far).items():
        assert [r.product_id for r in rail] == [r.product_id for r in plain[purchase_id]]
    Store.objects.all().delete()
    assert rank_for_purchases(query, settings, path="index").rows


def test_who_bought_nothing_gets_what_is_near_without_a_look_at_everything(shop):
    draw = random.Random(4)
    n_statements = 0
    for _ in range(24):
        settings = settings_with(
            shop, weight_popularity=draw.choice([0.0, 0.3]), weight_proximity=draw.choice([0.2, 1])
        )
        filters = draw.choice([{}, {"price_range": (10, 30)}])
        query = shopper_query(trendiness=draw.random(), **filters)
        boosts = draw.choice([[], drawn_boosts(draw, query.product_ids)])
        place = draw.choice([HERE, HERE, NOWHERE])
        query = replace(query, proximities=store_proximities(place), boosts=boosts)
        with CaptureQueriesContext(connection) as captured:
            found = rank_by_popularity(query, settings, n=30)
        n_statements += len(captured)
        assert found == rank_by_popularity(query, settings, n=30, exactly=True)
    assert 24 < n_statements < 40  # the second looks at everything
