"""Widening and proof on the index path: when it reads on, and that proven rails are exact."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from benchmarks.synthetic import fill_catalogue
from catalog.models import Category, Gender, Product, Store
from embeddings.indexes import ensure_search_indexes
from embeddings.models import ProductVector
from recommender import retrieval
from recommender.candidates import StreamSizes, Unseen
from recommender.filtered import rank_filtered
from recommender.ranking import RankingSettings, default_profile
from recommender.relevance import Query
from recommender.retrieval import rank_for_purchases
from tests.factories import StockFactory

pytestmark = pytest.mark.django_db(transaction=True)

N_PRODUCTS = 2_000


@pytest.fixture
def crowd():
    backbone = fill_catalogue(np.random.default_rng(3), N_PRODUCTS, 16)
    ensure_search_indexes(backbone, min_rows=100)
    return backbone


def settings_with(backbone, **changes) -> RankingSettings:
    profile = RankingSettings.from_profile(default_profile())
    return profile.with_changes(backbone=backbone, **changes)


def shopper_query(*numbers: int, trendiness: float = 0.4, **filters) -> Query:
    keys = dict(Product.objects.values_list("item_id", "pk"))
    bought = [keys[f"p{number}"] for number in numbers]
    return Query(
        trendiness=trendiness,
        purchase_ids=list(range(len(bought))),
        product_ids=bought,
        excluded_product_ids=bought,
        genders=sorted(Gender.WOMEN.compatible()),
        **filters,
    )


def rails(ranking):
    found = {}
    for row in ranking.rows:
        found.setdefault(row.purchase_id, []).append(row)
    return found


def start_at(monkeypatch, n_neighbours, n_trending, n_short=32):
    sizes = StreamSizes(n_neighbours, n_trending, n_short)
    monkeypatch.setattr(retrieval, "start_sizes", lambda *_: sizes)


def test_larger_catalogues_are_read_farther_and_looks_alone_need_less():
    settings = RankingSettings(
        profile_name="",
        weight_visual=0.7,
        weight_popularity=0.3,
        weight_category=0,
        penalty_exponent=2,
        k=5,
        filter_gender=True,
        backbone=None,
    )
    sizes = [retrieval.start_sizes(settings, 10**n).n_neighbours for n in range(7)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 210
    assert retrieval.start_sizes(replace(settings, weight_category=0.1), 10**6).n_neighbours == 320
    assert retrieval.start_sizes(replace(settings, weight_visual=0), 10**6).n_neighbours == 1


def test_the_threshold_by_hand(crowd):
    settings = settings_with(crowd, weight_visual=0.5, weight_popularity=0.3, weight_category=0.2)
    unseen = Unseen(cosine=0.6, popularity=0.25, category_similarity=0.8)

    assert unseen.threshold(settings, 0.0) == pytest.approx(0.5 * 0.6 + 0.25 + 0.2 * 0.8)
    assert unseen.threshold(settings, 0.1) == pytest.approx(0.5 * 0.7 + 0.25 + 0.2 * 0.8)
    assert replace(unseen, cosine=None).threshold(settings, 0.0) == -inf
    assert replace(unseen, popularity=None).threshold(settings, 0.0) == -inf


def test_a_proven_rail_is_the_exact_one_and_short_streams_prove_less(crowd, monkeypatch):
    settings = settings_with(crowd)
    n_proven = {}
    for n_neighbours in (1, 80):
        start_at(monkeypatch, n_neighbours, 50)
        monkeypatch.setattr(retrieval, "WIDENING", 1)
        for start in range(0, 300, 30):
            query = shopper_query(*range(start, start + 5), trendiness=start / 300)
            found = rank_for_purchases(query, settings, path="index")
            exact = rails(rank_for_purchases(query, settings, path="exact"))
            for purchase_id in found.proven:
                rail = rails(found)[purchase_id]
                assert [r.terms.relevance for r in rail] == pytest.approx(
                    [r.terms.relevance for r in exact[purchase_id]], abs=1e-6
                )
            n_proven[n_neighbours] = n_proven.get(n_neighbours, 0) + len(found.proven)
    assert 0 < n_proven[1] < n_proven[80]


def test_only_what_reading_on_can_prove_is_read_again(crowd, monkeypatch):
    start_at(monkeypatch, 5, 50)
    settings = settings_with(crowd)
    asked = []
    statement = retrieval.rank_candidates

    def recording(query, *rest):
        asked.append(set(query.purchase_ids))
        return statement(query, *rest)

    monkeypatch.setattr(retrieval, "rank_candidates", recording)
    n_widened = n_proven_after = 0
    for start in range(0, 300, 30):
        asked.clear()
        query = shopper_query(*range(start, start + 5), trendiness=start / 300)
        ranking = rank_for_purchases(query, settings, path="index")
        assert ranking.n_statements == len(asked) <= 2
        if len(asked) == 2:
            assert asked[1] < asked[0]
            n_widened += len(asked[1])
            n_proven_after += len(asked[1] & ranking.proven)
    assert n_widened > 0
    assert n_proven_after / n_widened > 0.5  # the forecast is mostly right


def test_streams_that_are_read_to_their_end_leave_nothing_to_prove(crowd, monkeypatch):
    start_at(monkeypatch, 900, N_PRODUCTS)
    ranking = rank_for_purchases(
        shopper_query(1, 2), settings_with(crowd, weight_popularity=0.9), path="index"
    )
    assert ranking.proven == {0, 1}
    assert ranking.n_statements == 1


@pytest.mark.parametrize("path", ["index", None])
def test_filters_leave_k_that_qualify_and_the_exact_ones(crowd, path):
    category = Category.objects.first()
    store = Store.objects.create(name="Lyon", latitude=45.76, longitude=4.83)
    women = Product.objects.filter(gender__in=["WOMEN", "UNISEX"], category=category)
    women.update(price=20)
    for product in women[::4]:
        StockFactory(product=product, store=store, quantity=1)
    query = shopper_query(
        3, 9, category_ids=[category.pk], price_range=(10, 30), store_ids=[store.pk]
    )
    settings = settings_with(crowd)
    allowed = set(women.filter(stock__store=store).values_list("pk", flat=True))

    found = rails(rank_for_purchases(query, settings, path=path))
    exact = rails(rank_for_purchases(query, settings, path="exact"))

    assert [row.product_id for row in found[0]] == [row.product_id for row in exact[0]]
    for rail in found.values():
        assert len(rail) == settings.k
        assert {row.product_id for row in rail} <= allowed


def test_what_passes_a_filter_is_proven_by_its_short_list_up_to_the_error_of_short_vectors(crowd):
    settings = settings_with(crowd)
    indexes = retrieval.search_indexes(crowd)
    erring = replace(indexes, cosine_error=0.1)
    n_rails = n_proven = 0
    for start in range(0, 100, 10):
        query = shopper_query(
            *range(start, start + 5),
            trendiness=start / 100,
            category_ids=[Category.objects.first().pk],
        )
        exact = rails(rank_for_purchases(query, settings, path="exact"))
        for purchase_id, rail in rank_filtered(query, settings, indexes, n_short=8).items():
            assert rail.slack(settings) >= 0
            assert [r.product_id for r in rail.rows] == [r.product_id for r in exact[purchase_id]]
        doubted = rank_filtered(query, settings, erring, n_short=8)
        n_rails += len(doubted)
        n_proven += sum(rail.slack(settings) >= 0 for rail in doubted.values())
    assert n_proven < n_rails == 50


@pytest.mark.parametrize("path", ["index", None])
def test_fewer_than_k_that_qualify_are_all_found(crowd, path):
    few = list(Product.objects.filter(gender="WOMEN").order_by("-pk")[:3])
    lone = Category.objects.create(name="Lone", group=Category.objects.first().group)
    Product.objects.filter(pk__in=[product.pk for product in few]).update(category=lone)
    query = shopper_query(1, category_ids=[lone.pk])

    ranking = rank_for_purchases(query, settings_with(crowd), path=path)

    assert {row.product_id for row in ranking.rows} == {product.pk for product in few}
    assert ranking.proven == {0}


@pytest.mark.parametrize("price_range", [None, (0, 1_000)])
def test_a_purchase_without_a_vector_is_ranked_by_the_other_terms(crowd, price_range):
    Product.objects.update(price=20)
    query = shopper_query(1, 2, price_range=price_range)
    ProductVector.objects.filter(product_id=query.product_ids[0]).delete()
    settings = settings_with(crowd, weight_visual=0.1, weight_popularity=0.9)

    found = rails(rank_for_purchases(query, settings))
    exact = rails(rank_for_purchases(query, settings, path="exact"))

    assert {row.terms.visual for row in found[0]} == {0.0}
    assert [row.product_id for row in found[0]] == [row.product_id for row in exact[0]]


def test_the_planner_says_when_a_filter_leaves_few(crowd, monkeypatch):
    query = shopper_query(1, category_ids=[Category.objects.first().pk])
    settings = settings_with(crowd)
    indexes = retrieval.search_indexes(crowd)

    assert retrieval._leaves_few(query, settings, indexes)
    monkeypatch.setattr(retrieval, "FEW_ROWS", 10)
    assert not retrieval._leaves_few(query, settings, indexes)
    assert not retrieval._leaves_few(shopper_query(1), settings, indexes)


def test_a_long_rail_is_filled_from_the_streams_and_not_by_looking_at_everything(crowd):
    settings = settings_with(crowd, k=60)
    ranking = rank_for_purchases(shopper_query(3, 9), settings, path="index")
    exact = rails(rank_for_purchases(shopper_query(3, 9), settings, path="exact"))
    assert ranking.n_statements <= 2  # the second reads on
    for purchase_id, rail in rails(ranking).items():
        best = {row.product_id for row in exact[purchase_id]}
        assert len(rail) == 60
        assert len(best & {row.product_id for row in rail}) >= 54
