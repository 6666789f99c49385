"""Short lists with a bound: what they call proven is what looking at everything finds."""

from dataclasses import replace
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.batch import exact_top_k, top, top_k
from recommender.batch.bounded import Depth, bounded_top_k
from recommender.batch.shortened import is_worth_it, shortened
from recommender.batch.trending import N_OWNED, trending_top_k
from tests.recommender.test_batch import SETTINGS, WOMEN, make_products, make_shoppers

SHALLOW = Depth(n_neighbours=8, n_trending=2, n_spare=2)
N = 90


def world(seed: int, *, n_popularities: int = 40, n_copies: int = 0):
    """90 products, of which the last `n_copies` equal the first, and 12 shoppers."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(N, 6))
    vectors[N - n_copies :] = vectors[0]
    products = make_products(
        vectors,
        popularity=rng.integers(0, n_popularities, N),
        genders=rng.integers(0, 5, N),
        categories=rng.integers(0, 3, N),
        active=rng.random(N) > 0.1,
    )
    bought = [
        rng.choice(N, size=size, replace=False).tolist() for size in rng.integers(1, 7, size=12)
    ]
    genders = rng.integers(0, 5, 12).tolist()
    asked = make_shoppers(bought, N, trendiness=rng.random(12).tolist(), genders=genders)
    return dict(zip(("products", "shoppers", "purchases"), (products, *asked), strict=True))


def weighted(visual: float, popularity: float, category: float, **others):
    weights = {
        "weight_visual": visual,
        "weight_popularity": popularity,
        "weight_category": category,
    }
    return replace(SETTINGS, **weights, **others)


WEIGHTS = [(0.7, 0.3, 0.0), (0.7, 0.2, 0.1), (0.3, 0.7, 0.0), (1.0, 0.0, 0.5), (0.0, 0.5, 0.5)]


@given(
    seed=st.integers(0, 2**20),
    weights=st.sampled_from([*WEIGHTS, (0.0, 1.0, 0.0)]),
    exponent=st.sampled_from([0.5, 1.0, 2.0, 3.0]),
    k=st.integers(1, 6),
    filter_gender=st.booleans(),
    n_copies=st.sampled_from([0, 30]),
    min_max=st.booleans(),
)
def test_lists_of_any_depth_end_in_the_exact_answer(
    seed, weights, exponent, k, filter_gender, n_copies, min_max
):
    settings = weighted(*weights, penalty_exponent=exponent, k=k, filter_gender=filter_gender)
    asked = world(seed, n_copies=n_copies) | {
        "settings": settings,
        "min_max_similarity": min_max,
    }
    expected = exact_top_k(**asked)
    for depths in ([SHALLOW], [SHALLOW, Depth(16, 8, 8)], [Depth(N, N, N)]):
        found = top_k(**asked, depths=depths)
        assert found.products.tolist() == expected.products.tolist()
        for name in ("relevance", "visual", "popularity", "category"):
            values = pytest.approx(getattr(expected, name), abs=1e-9, nan_ok=True)
            assert getattr(found, name) == values


@given(
    seed=st.integers(0, 2**20),
    weights=st.sampled_from(WEIGHTS),
    n_axes=st.integers(1, 6),
    k=st.integers(1, 6),
    n_copies=st.sampled_from([0, 30]),
    least_proven=st.sampled_from([0.0, 1.1]),
)
def test_short_vectors_end_in_the_exact_answer(seed, weights, n_axes, k, n_copies, least_proven):
    asked = world(seed, n_copies=n_copies) | {"settings": weighted(*weights, k=k)}
    expected = exact_top_k(**asked)
    with (
        patch.object(top, "is_worth_it", lambda products, purchases: True),
        patch.object(top, "shortened", partial(shortened, n_axes=n_axes)),
        patch.object(top, "BY_SHORT_VECTORS", Depth(12, 4, 12)),
        patch.object(top, "LEAST_PROVEN", least_proven),
    ):
        found = top_k(**asked, depths=[SHALLOW])
    assert found.products.tolist() == expected.products.tolist()
    assert found.relevance == pytest.approx(expected.relevance, abs=1e-9, nan_ok=True)


@given(seed=st.integers(0, 2**20), n_axes=st.integers(1, 8))
def test_products_of_short_vectors_are_never_below_cosines(seed, n_axes):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(40, 8)) * rng.exponential(size=8)
    vectors[::7] = 0
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    short = shortened(vectors, n_axes)
    assert short.shape == (40, n_axes + 1)
    bounds, cosines = (rows.astype(np.float64) @ rows.T for rows in (short, vectors))
    assert (bounds > cosines - 1e-6).all()
    if n_axes == 8:  # nothing is left out
        assert (bounds < cosines + 1e-5).all()


def test_only_much_work_is_worth_shortening():
    asked = world(1)
    assert not is_worth_it(asked["products"], asked["purchases"])
    n = 20_000
    large = make_products(np.eye(1, 800).repeat(n, axis=0))
    (_, many) = make_shoppers([range(5_000)], n)
    assert is_worth_it(large, many)
    assert not is_worth_it(large, many.at(np.arange(100)))


@pytest.mark.parametrize(
    ("weights", "min_max"),
    [(weights, False) for weights in WEIGHTS[:3]] + [((0.7, 0.2, 0.0), True)],
)
def test_shallow_lists_prove_some_answers_and_leave_others_open(weights, min_max):
    n_proven = n_open = 0
    for seed in range(10):
        asked = world(seed) | {
            "settings": weighted(*weights, k=2),
            "min_max_similarity": min_max,
        }
        found, proven = bounded_top_k(**asked, depth=SHALLOW)
        expected = exact_top_k(**asked)
        assert (found.products[proven] == expected.products[proven]).all()
        n_proven += np.count_nonzero(proven)
        n_open += np.count_nonzero(~proven)
    assert n_proven > 20
    assert n_open > 20


def test_what_is_proven_never_reaches_the_exact_path(monkeypatch):
    monkeypatch.setattr(top, "exact_top_k", None)
    asked = world(1) | {"settings": weighted(0.7, 0.3, 0.0, k=2)}
    assert top_k(**asked, depths=[Depth(N, N, N)]).products.min() >= 0
    with pytest.raises(TypeError):
        top_k(**asked, depths=[Depth(8, 2, 0)])


def test_by_popularity_alone_equal_products_come_in_the_order_of_their_keys():
    asked = world(3, n_popularities=2) | {"settings": weighted(0.0, 1.0, 0.0, k=4)}
    found, proven = trending_top_k(**asked)
    expected = exact_top_k(**asked)
    assert proven.all()
    assert found.products.tolist() == expected.products.tolist()
    assert (np.diff(found.products[:, :4]) > 0).any()


def test_a_shopper_who_owns_all_that_suits_them_is_left_to_the_exact_path():
    n_owned = N_OWNED + 5
    products = make_products(np.eye(60), popularity=[50] * 30 + [90] * 30)
    shoppers, purchases = make_shoppers([list(range(n_owned))], 60, trendiness=[0.0])
    settings = weighted(0.0, 1.0, 0.0, k=3)
    asked = {"products": products, "shoppers": shoppers, "purchases": purchases}
    _, proven = trending_top_k(**asked, settings=settings)
    assert not proven.any()
    best = top_k(**asked, settings=settings)
    assert best.products[0].tolist() == [n_owned, n_owned + 1, n_owned + 2]


def test_a_purchase_without_a_vector_is_ranked_by_the_other_terms():
    products = make_products(np.eye(40), popularity=range(40), categories=[0] * 20 + [1] * 20)
    vectors = products.vectors.copy()
    vectors[7] = 0
    candidates = np.arange(40) != 7
    products = replace(products, vectors=vectors, is_candidate=candidates)
    shoppers, purchases = make_shoppers([[7]], 40, trendiness=[0.5], genders=[WOMEN])
    settings = weighted(0.7, 0.3, 0.1, k=4)
    asked = {"products": products, "shoppers": shoppers, "purchases": purchases}
    found = top_k(**asked, settings=settings, depths=[SHALLOW])
    assert found.products.tolist() == exact_top_k(**asked, settings=settings).products.tolist()
    assert found.visual.tolist() == [[0.0] * 4]
