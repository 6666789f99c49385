"""The index path: the planner uses the indexes, and it finds what the exact path finds."""

import numpy as np
import pytest
from django.db import connection

from benchmarks.synthetic import fill_catalogue
from catalog.database import fetch_prepared
from catalog.models import Gender, Product
from embeddings.indexes import ensure_search_indexes, search_indexes
from recommender import candidates
from recommender.formula import parameters
from recommender.ranking import RankingSettings, default_profile
from recommender.relevance import Query
from recommender.retrieval import rank_for_purchases, start_sizes
from recommender.services import recommend
from shoppers.models import Purchase, Shopper

pytestmark = pytest.mark.django_db(transaction=True)

N_PRODUCTS = 6_000
DIMENSION = 32


@pytest.fixture
def crowd():
    backbone = fill_catalogue(np.random.default_rng(3), N_PRODUCTS, DIMENSION)
    ensure_search_indexes(backbone, min_rows=100)
    return backbone


def shopper_query(n: int, gender: str = "WOMEN", trendiness: float = 0.4) -> Query:
    bought = list(range(n, N_PRODUCTS, N_PRODUCTS // 5))[:5]
    return Query(
        trendiness=trendiness,
        purchase_ids=list(range(5)),
        product_ids=[_key(number) for number in bought],
        excluded_product_ids=[_key(number) for number in bought],
        genders=sorted(Gender(gender).compatible()),
    )


def _key(number: int) -> int:
    return Product.objects.values_list("pk", flat=True).get(item_id=f"p{number}")


def settings_with(backbone, **changes) -> RankingSettings:
    profile = RankingSettings.from_profile(default_profile())
    return profile.with_changes(backbone=backbone, **changes)


def test_the_planner_answers_from_the_vector_and_popularity_indexes(crowd):
    query, settings = shopper_query(7), settings_with(crowd)
    indexes = search_indexes(crowd)
    sql = candidates._statement(query, settings, indexes, start_sizes(settings, indexes.n_rows))
    rows = fetch_prepared(connection, "EXPLAIN " + sql, parameters(query, settings))
    plan = "\n".join(row[0] for row in rows)
    assert f"sv_hnsw_{indexes.projection_id}_unisex_women" in plan
    assert "trend_upwards" in plan
    assert "trend_downwards" in plan


@pytest.mark.parametrize("weights", [(0.7, 0.2, 0.1), (0.0, 1.0, 0.0)])
def test_the_index_path_finds_what_the_exact_path_finds(crowd, weights):
    visual, popularity, category = weights
    settings = settings_with(
        crowd,
        weight_visual=visual,
        weight_popularity=popularity,
        weight_category=category,
    )
    found = wanted = 0
    for n in range(20):
        query = shopper_query(n * 13, gender=Gender.values[n % 3], trendiness=n / 20)
        exact = rank_for_purchases(query, settings, path="exact").rows
        index = rank_for_purchases(query, settings, path="index").rows
        assert len(index) == len(exact) == 25
        worst = {row.purchase_id: row.terms.relevance for row in index}  # the last of each rail
        hits = {(row.purchase_id, row.product_id) for row in index}
        wanted += len(exact)
        found += sum(
            (row.purchase_id, row.product_id) in hits
            or row.terms.relevance <= worst[row.purchase_id] + 1e-6  # a tie
            for row in exact
        )
    assert found / wanted >= 0.97


def test_the_service_takes_the_index_where_there_is_one_and_says_the_same(crowd):
    shopper = Shopper.objects.create(external_id="ann", gender="WOMEN", trendiness=0.4)
    query = shopper_query(7)
    for product_id in query.product_ids:
        Purchase.objects.create(
            shopper=shopper, product_id=product_id, purchased_at="2025-03-01T00:00:00Z"
        )
    settings = settings_with(crowd)
    automatic = recommend(shopper=shopper, settings=settings)
    exact = recommend(shopper=shopper, settings=settings, path="exact")
    assert [i.product.pk for i in automatic.items[:5]] == [i.product.pk for i in exact.items[:5]]
