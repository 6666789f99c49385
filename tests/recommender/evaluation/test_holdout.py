"""The held-out purchase: what was known before it, and where it would have been ranked."""

from dataclasses import replace
from math import log2

import numpy as np
import pytest

from recommender.evaluation import holdout
from recommender.evaluation.catalogue import Catalogue, PurchaseHistory
from recommender.evaluation.holdout import (
    POPULARITY,
    RANDOM,
    TREND,
    held_out_purchases,
    held_out_ranks,
    held_out_rows,
    popularity_before,
    ranks_of,
)
from tests.recommender.test_batch import MEN, SETTINGS, WOMEN, unit

N = 6


def make_catalogue(purchases, *, base=None, genders=None, active=None, trendiness=0.5):
    """Six products in two categories; purchases are (shopper, product, time), in order of time."""
    shoppers, products, times = (np.array(column) for column in zip(*purchases, strict=True))
    n_shoppers = int(shoppers.max()) + 1
    return Catalogue(
        product_ids=np.arange(1, N + 1),
        is_active=np.ones(N, bool) if active is None else np.array(active),
        genders=np.array(genders if genders is not None else [WOMEN] * N, np.int8),
        categories=np.array([0, 0, 0, 1, 1, 1]),
        category_similarity=np.array([[1.0, 0.1], [0.1, 1.0]]),
        base_popularity=np.array(base if base is not None else [0] * N),
        popularity=np.zeros(N, np.int64),
        shopper_ids=np.arange(n_shoppers),
        shopper_genders=np.full(n_shoppers, WOMEN, np.int8),
        trendiness=np.full(n_shoppers, trendiness),
        history=PurchaseHistory(shoppers, products, times.astype(float)),
        has_segmentation_maps=False,
    )


ALL = np.ones(N, bool)


def test_the_last_purchase_is_held_out_and_the_earlier_ones_are_history():
    catalogue = make_catalogue([(0, 4, 1), (1, 2, 2), (0, 1, 3), (0, 5, 9), (1, 3, 10)])
    cases, left_out = held_out_purchases(catalogue, ALL)
    assert left_out == {}
    assert [(case.shopper, case.product, case.time) for case in cases] == [
        (0, 5, 9.0),
        (1, 3, 10.0),
    ]
    assert [case.history.tolist() for case in cases] == [[1, 4], [2]]


def test_cases_are_in_order_of_time_not_of_shoppers():
    catalogue = make_catalogue([(0, 0, 1), (1, 0, 2), (1, 1, 3), (0, 1, 4)])
    cases, _ = held_out_purchases(catalogue, ALL)
    assert [case.shopper for case in cases] == [1, 0]


@pytest.mark.parametrize(
    ("purchases", "without_vector", "reason"),
    [
        ([(0, 1, 5)], None, "one purchase only"),
        ([(0, 1, 5), (0, 2, 5)], None, "no purchase strictly before the last"),
        ([(0, 1, 5), (0, 2, 6), (0, 1, 7)], None, "last product bought before"),
        ([(0, 1, 5), (0, 2, 6)], 2, "last product not on sale or without a vector"),
        ([(0, 1, 5), (0, 2, 6)], 1, "no earlier product on sale with a vector"),
    ],
)
def test_shoppers_who_cannot_be_evaluated_are_left_out_and_counted(
    purchases, without_vector, reason
):
    has_vector = ALL.copy()
    if without_vector is not None:
        has_vector[without_vector] = False
    cases, left_out = held_out_purchases(make_catalogue(purchases), has_vector)
    assert (cases, left_out) == ([], {reason: 1})


def test_popularity_is_the_base_and_the_purchases_strictly_before():
    purchases = [(0, 0, 1), (1, 3, 1), (0, 3, 2), (1, 3, 2), (2, 0, 2), (2, 5, 8)]
    catalogue = make_catalogue(purchases, base=[10, 0, 0, 1, 0, 0])
    cases, _ = held_out_purchases(catalogue, ALL)
    found = {
        (case.shopper, case.time): counts.tolist()
        for case, counts in zip(cases, popularity_before(catalogue, cases), strict=True)
    }
    assert found == {
        (0, 2.0): [11, 0, 0, 2, 0, 0],  # neither its own nor the others of that moment
        (2, 8.0): [12, 0, 0, 4, 0, 0],
    }
    assert catalogue.base_popularity.tolist() == [10, 0, 0, 1, 0, 0]


def test_a_rank_counts_the_allowed_ahead_and_ties_with_smaller_keys():
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    allowed = np.ones((4, 5), bool)
    allowed[1, 0] = allowed[2, 2] = False
    ranks = ranks_of(np.array([2, 2, 2, 4]), np.tile(scores, (4, 1)), allowed)
    assert ranks.tolist() == [3, 2, np.inf, 5]


def ranks_under(catalogue, vectors, has_vector=ALL, **settings):
    cases, _ = held_out_purchases(catalogue, has_vector)
    ranks = held_out_ranks(
        catalogue=catalogue,
        cases=cases,
        vectors={"hand": vectors},
        has_vector=has_vector,
        settings=replace(SETTINGS, **settings),
    )
    return cases, ranks


# Product 0 is bought first; the others lie ever further from it.
FAN = unit([(1, 0), (1, 0.2), (1, 0.5), (1, 1), (0.5, 1), (0, 1)])


def test_the_relevance_ranks_by_what_was_bought_before():
    catalogue = make_catalogue([(0, 0, 1), (0, 3, 2)])
    _, ranks = ranks_under(catalogue, FAN)
    assert ranks["hand"].ranks.tolist() == [3]  # after 1 and 2, before 4 and 5
    assert ranks["hand"].n_candidates.tolist() == [5]


def test_the_history_product_that_suits_best_decides():
    catalogue = make_catalogue([(0, 0, 1), (0, 5, 2), (0, 1, 3)])
    _, ranks = ranks_under(catalogue, FAN)
    assert ranks["hand"].ranks.tolist() == [1]  # nearest to 0, and far from 5
    catalogue = make_catalogue([(0, 0, 1), (0, 5, 2), (0, 4, 3)])
    _, ranks = ranks_under(catalogue, FAN)
    assert ranks["hand"].ranks.tolist() == [3]  # 1 is nearer, 2 as near to 0 as 4 is to 5


def test_categories_count_with_the_weight_that_they_have():
    catalogue = make_catalogue([(0, 0, 1), (0, 2, 2)])
    _, ranks = ranks_under(catalogue, FAN[::-1].copy(), weight_category=0.0)
    assert ranks["hand"].ranks.tolist() == [2]
    catalogue = make_catalogue([(0, 0, 1), (0, 3, 2)])
    _, ranks = ranks_under(catalogue, FAN, weight_visual=0.0, weight_category=1.0)
    assert ranks["hand"].ranks.tolist() == [3]  # the first of the other category


def test_the_popularity_ranker_and_popularity_near_t_use_the_counts_of_that_time():
    later = [(1, 5, 8)] * 9
    catalogue = make_catalogue(
        [(0, 0, 1), (0, 3, 2), *later], base=[0, 10, 8, 4, 2, 0], trendiness=0.4
    )
    _, ranks = ranks_under(catalogue, FAN)
    assert ranks[POPULARITY].ranks.tolist() == [3]  # 10 and 8 are ahead of 4
    assert ranks[TREND].ranks.tolist() == [1]  # NormPop .4 is t


def test_other_genders_and_products_without_a_vector_are_no_candidates():
    catalogue = make_catalogue([(0, 0, 1), (0, 3, 2)], genders=[WOMEN, MEN, *[WOMEN] * 4])
    has_vector = ALL.copy()
    has_vector[5] = False
    _, ranks = ranks_under(catalogue, FAN, has_vector)
    assert ranks["hand"].ranks.tolist() == [2]
    assert ranks["hand"].n_candidates.tolist() == [3]
    _, ranks = ranks_under(catalogue, FAN, has_vector, filter_gender=False)
    assert ranks["hand"].n_candidates.tolist() == [4]


def test_parts_and_blocks_of_one_case_give_the_same_ranks(monkeypatch):
    rng = np.random.default_rng(4)
    purchases = [
        (shopper, int(rng.integers(N)), time) for time, shopper in enumerate([*range(30)] * 2)
    ]
    catalogue = make_catalogue(purchases, base=[3, 1, 4, 1, 5, 9], trendiness=0.6)
    cases, whole = ranks_under(catalogue, FAN)
    assert len(cases) > 10
    monkeypatch.setattr(holdout, "SIMILARITIES", 1)
    monkeypatch.setattr(holdout, "BLOCKING", 10**9)
    _, pieces = ranks_under(catalogue, FAN)
    for name, ranks in whole.items():
        assert pieces[name].ranks.tolist() == ranks.ranks.tolist()


def test_rows_turn_ranks_into_percentages_and_random_is_the_exact_expectation():
    catalogue = make_catalogue([(0, 0, 1), (1, 0, 2), (0, 3, 3), (1, 1, 4)])
    cases, ranks = ranks_under(catalogue, FAN)
    rows = {row["ranker"]: row for row in held_out_rows(cases, ranks, k=2, seed=1)}
    assert list(rows) == ["hand", TREND, POPULARITY, RANDOM]
    hand = rows["hand"]  # ranks 3 and 1 of 5
    assert (hand["recall"], hand["hit_rate"], hand["ndcg"]) == (50, 50, 50)
    assert hand["percentile_rank"] == 75
    assert hand["recall_interval"] == [0, 100]
    assert hand["n_shoppers"] == 2
    random = rows[RANDOM]
    assert random["recall"] == 40
    assert random["ndcg"] == pytest.approx(100 * (1 + 1 / log2(3)) / 5, abs=1e-3)
    assert random["percentile_rank"] == 50


def test_nobody_finds_a_product_of_another_gender_and_random_does_not_either():
    catalogue = make_catalogue([(0, 0, 1), (0, 3, 2)], genders=[WOMEN, WOMEN, WOMEN, MEN, MEN, MEN])
    cases, ranks = ranks_under(catalogue, FAN)
    for row in held_out_rows(cases, ranks, k=5, seed=1):
        assert (row["recall"], row["ndcg"], row["percentile_rank"]) == (0, 0, 0)
