"""The batch ranking against the formula in plain Python, on arrays small enough to read."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommender.batch import (
    GENDERS,
    ProductArrays,
    PurchaseArrays,
    ShopperArrays,
    best_columns,
    exact,
    normalized_popularity,
    top_k,
)
from recommender.ranking import RankingSettings

SETTINGS = RankingSettings(
    profile_name="test",
    weight_visual=0.7,
    weight_popularity=0.3,
    weight_category=0.0,
    penalty_exponent=2.0,
    k=3,
    filter_gender=True,
    backbone=None,
)
WOMEN, MEN, UNISEX, GIRLS, BOYS = range(5)


def unit(rows) -> np.ndarray:
    vectors = np.array(rows, dtype=np.float64)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def make_products(vectors, *, popularity=None, genders=None, categories=None, active=None):
    vectors = unit(vectors)
    n = len(vectors)
    is_active = np.ones(n, bool) if active is None else np.array(active)
    counts = np.zeros(n) if popularity is None else np.array(popularity, float)
    return ProductArrays(
        product_ids=10 * np.arange(1, n + 1),
        vectors=vectors,
        is_candidate=is_active,
        genders=np.array(genders if genders is not None else [WOMEN] * n, np.int8),
        categories=np.array(categories if categories is not None else [0] * n),
        normalized_popularity=normalized_popularity(counts, is_active),
        category_similarity=np.array([[1.0, 0.8, 0.1], [0.8, 1.0, 0.4], [0.1, 0.4, 1.0]]),
    )


def make_shoppers(bought: list[list[int]], n_products: int, *, trendiness=None, genders=None):
    """Shoppers by the products that they bought, and all their purchases."""
    pairs = [(shopper, product) for shopper, row in enumerate(bought) for product in row]
    rows, columns = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    shoppers = ShopperArrays(
        genders=np.array(genders or [WOMEN] * len(bought), np.int8),
        trendiness=np.array(trendiness or [0.5] * len(bought), float),
        purchased=sparse.csr_array(
            (np.ones(len(pairs), bool), (rows, columns)), shape=(len(bought), n_products)
        ),
    )
    return shoppers, PurchaseArrays(np.array(rows, np.int64), np.array(columns, np.int64))


def naive(products, shoppers, purchases, row, settings, min_max=False):
    """(relevance, position) of every candidate of one purchase, best first: loops, no arrays."""
    shopper, bought = int(purchases.shoppers[row]), int(purchases.products[row])
    t = float(shoppers.trendiness[shopper])
    owned = {int(v) for v in shoppers.purchased[[shopper]].nonzero()[1]}
    wanted = GENDERS[shoppers.genders[shopper]]
    candidates, cosines = [], []
    for v in range(len(products.product_ids)):
        offered = GENDERS[products.genders[v]]
        suits = (
            wanted == offered
            or "UNISEX" in (wanted, offered)
            or {wanted, offered} == {"GIRLS", "BOYS"}
        )
        if not products.is_candidate[v] or v in owned or (settings.filter_gender and not suits):
            continue
        candidates.append(v)
        pairs = zip(products.vectors[bought], products.vectors[v], strict=True)
        cosines.append(sum(float(x) * float(y) for x, y in pairs))
    if min_max and cosines:
        low, high = min(cosines), max(cosines)
        cosines = [(c - low) / (high - low) if high - low > 1e-9 else 1.0 for c in cosines]
    scored = []
    for v, cosine in zip(candidates, cosines, strict=True):
        gap = abs(float(products.normalized_popularity[v]) - t)
        alike = products.category_similarity[products.categories[bought]][products.categories[v]]
        relevance = (
            settings.weight_visual * cosine
            + settings.weight_popularity * (1 - gap**settings.penalty_exponent)
            + settings.weight_category * float(alike)
        )
        scored.append((relevance, v))
    return sorted(scored, key=lambda pair: (-round(pair[0], 9), pair[1]))[: settings.k]


def assert_agrees(products, shoppers, purchases, settings, min_max=False):
    found = top_k(
        products=products,
        shoppers=shoppers,
        purchases=purchases,
        settings=settings,
        min_max_similarity=min_max,
    )
    for row in range(len(purchases.products)):
        expected = naive(products, shoppers, purchases, row, settings, min_max)
        missing = settings.k - len(expected)
        assert found.products[row].tolist() == [v for _, v in expected] + [-1] * missing
        assert found.relevance[row][: len(expected)] == pytest.approx([r for r, _ in expected])
        assert np.isnan(found.relevance[row][len(expected) :]).all()
    terms = found.visual + found.popularity + found.category
    assert found.relevance == pytest.approx(terms, nan_ok=True)


def random_case(seed: int):
    """11 products, 4 shoppers with 0 to 3 purchases: no two dimensions are equal."""
    rng = np.random.default_rng(seed)
    products = make_products(
        rng.normal(size=(11, 5)),
        popularity=rng.integers(0, 6, 11),
        genders=rng.integers(0, 5, 11),
        categories=rng.integers(0, 3, 11),
        active=rng.random(11) > 0.2,
    )
    bought = [
        rng.choice(11, size=size, replace=False).tolist() for size in rng.integers(0, 4, size=4)
    ]
    trendiness = [0.0, 1.0, *rng.random(2)]
    genders = rng.integers(0, 5, 4).tolist()
    return products, *make_shoppers(bought, 11, trendiness=trendiness, genders=genders)


@given(
    seed=st.integers(0, 2**20),
    exponent=st.sampled_from([1.0, 2.0, 3.0, 4.0, 0.5]),
    weights=st.sampled_from([(0.7, 0.3, 0.0), (0.4, 0.2, 0.2), (0.0, 1.0, 0.0), (1.0, 0.0, 0.5)]),
    k=st.integers(1, 15),
    filter_gender=st.booleans(),
    min_max=st.booleans(),
)
def test_batches_agree_with_the_formula_in_plain_python(
    seed, exponent, weights, k, filter_gender, min_max
):
    settings = replace(
        SETTINGS,
        weight_visual=weights[0],
        weight_popularity=weights[1],
        weight_category=weights[2],
        penalty_exponent=exponent,
        k=k,
        filter_gender=filter_gender,
    )
    assert_agrees(*random_case(seed), settings, min_max)


def test_blocks_of_one_purchase_give_the_same_as_one_block(monkeypatch):
    products, shoppers, purchases = random_case(5)
    asked = {
        "products": products,
        "shoppers": shoppers,
        "purchases": purchases,
        "settings": SETTINGS,
    }
    whole = top_k(**asked)
    monkeypatch.setattr(exact, "BLOCK_ELEMENTS", 1)
    assert len(purchases.products) > 1
    pieces = top_k(**asked)
    assert pieces.products.tolist() == whole.products.tolist()


def test_the_formula_by_hand_with_an_odd_exponent():
    products = make_products(
        [(1, 0), (3, 4), (0, 1)], popularity=[0, 100, 50], categories=[0, 1, 2]
    )
    shoppers, purchases = make_shoppers([[0]], 3, trendiness=[0.75])
    settings = replace(SETTINGS, weight_category=0.5, penalty_exponent=3.0, k=2)
    found = top_k(products=products, shoppers=shoppers, purchases=purchases, settings=settings)
    assert found.products.tolist() == [[1, 2]]
    assert found.visual[0] == pytest.approx([0.7 * 0.6, 0.0], abs=1e-6)
    gap = 0.25**3  # |1 - .75| and |.5 - .75|, although the latter difference is negative
    assert found.popularity[0] == pytest.approx([0.3 * (1 - gap), 0.3 * (1 - gap)])
    assert found.category[0] == pytest.approx([0.5 * 0.8, 0.5 * 0.1])


def test_popularity_counts_as_zero_where_all_are_equal():
    products = make_products([(1, 0), (1, 1), (0, 1)], popularity=[7, 7, 7])
    shoppers, purchases = make_shoppers([[0], [0]], 3, trendiness=[0.0, 1.0])
    found = top_k(products=products, shoppers=shoppers, purchases=purchases, settings=SETTINGS)
    assert found.popularity[:, :2].tolist() == [[0.3, 0.3], [0.0, 0.0]]


def test_popularity_is_normalised_over_active_products_only():
    counts, is_active = np.array([5, 10, 20, 1000]), np.array([True, True, True, False])
    assert normalized_popularity(counts, is_active)[:3].tolist() == [0.0, 1 / 3, 1.0]


def test_popularity_of_several_moments_is_normalised_moment_by_moment():
    counts = np.array([[0, 5, 10], [4, 4, 4]])
    values = normalized_popularity(counts, np.ones(3, bool))
    assert values.tolist() == [[0.0, 0.5, 1.0], [0.0, 0.0, 0.0]]


def test_equal_products_come_in_the_order_of_their_keys():
    # BLAS sums some columns of a matrix in another order, so that equals differ by 1e-16
    bought, noise = np.random.default_rng(0).normal(size=(2, 1280))
    products = make_products([bought, *[bought + noise] * 50])
    shoppers, purchases = make_shoppers([[0]], 51)
    found = top_k(
        products=products,
        shoppers=shoppers,
        purchases=purchases,
        settings=replace(SETTINGS, weight_popularity=0.0, k=50),
    )
    assert found.products[0].tolist() == list(range(1, 51))


def test_one_candidate_fills_one_place_and_leaves_the_rest_empty():
    products = make_products([(1, 0), (0, 1)])
    shoppers, purchases = make_shoppers([[0]], 2)
    found = top_k(products=products, shoppers=shoppers, purchases=purchases, settings=SETTINGS)
    assert found.products.tolist() == [[1, -1, -1]]
    assert np.isnan(found.relevance[0]).tolist() == [False, True, True]


def test_a_shopper_who_bought_everything_gets_nothing():
    products = make_products([(1, 0), (0, 1)])
    shoppers, purchases = make_shoppers([[0, 1]], 2)
    for min_max in (False, True):
        found = top_k(
            products=products,
            shoppers=shoppers,
            purchases=purchases,
            settings=SETTINGS,
            min_max_similarity=min_max,
        )
        assert found.products.tolist() == [[-1, -1, -1]] * 2


def test_no_purchases_give_no_rows():
    products = make_products([(1, 0), (0, 1)])
    shoppers, purchases = make_shoppers([], 2)
    found = top_k(products=products, shoppers=shoppers, purchases=purchases, settings=SETTINGS)
    assert found.products.shape == (0, 3)


def test_inactive_products_are_compared_with_but_never_recommended():
    products = make_products([(1, 0), (1, 0), (0, 1)], active=[False, False, True])
    shoppers, purchases = make_shoppers([[0]], 3)
    found = top_k(products=products, shoppers=shoppers, purchases=purchases, settings=SETTINGS)
    assert found.products.tolist() == [[2, -1, -1]]


@pytest.mark.parametrize(
    ("shopper", "seen"),
    [
        (WOMEN, {WOMEN, UNISEX}),
        (MEN, {MEN, UNISEX}),
        (UNISEX, {WOMEN, MEN, UNISEX, GIRLS, BOYS}),
        (GIRLS, {GIRLS, BOYS, UNISEX}),
        (BOYS, {GIRLS, BOYS, UNISEX}),
    ],
)
def test_compatible_genders_are_seen_and_all_of_them_without_the_filter(shopper, seen):
    products = make_products([(1, 0)] * 6, genders=[WOMEN, MEN, UNISEX, GIRLS, BOYS, shopper])
    shoppers, purchases = make_shoppers([[5]], 6, genders=[shopper])
    for filter_gender, expected in ((True, seen), (False, set(range(5)))):
        found = top_k(
            products=products,
            shoppers=shoppers,
            purchases=purchases,
            settings=replace(SETTINGS, k=6, filter_gender=filter_gender),
        )
        assert set(found.products[0]) - {-1} == expected


def test_the_public_codes_similarity_spans_zero_to_one_per_purchase():
    products = make_products([(1, 0), (1, 0.1), (1, 0.2), (1, 0.4)])
    shoppers, purchases = make_shoppers([[0]], 4)
    settings = replace(SETTINGS, weight_visual=1.0, weight_popularity=0.0)
    found = top_k(
        products=products,
        shoppers=shoppers,
        purchases=purchases,
        settings=settings,
        min_max_similarity=True,
    )
    assert found.visual[0, [0, 2]].tolist() == [1.0, 0.0]
    assert 0 < found.visual[0, 1] < 1


def test_the_best_columns_are_the_leftmost_of_equals_and_never_minus_infinity():
    scores = np.array([[1.0, 3.0, 2.0, 3.0], [-np.inf, 0.0, -np.inf, -np.inf]])
    assert best_columns(scores, 2).tolist() == [[1, 3], [1, -1]]
    assert best_columns(scores, 6).tolist() == [[1, 3, 2, 0, -1, -1], [1, -1, -1, -1, -1, -1]]
    assert best_columns(np.empty((2, 0)), 2).tolist() == [[-1, -1], [-1, -1]]
