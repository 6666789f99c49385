"""Every metric on an example small enough to compute by hand."""

from math import log2, sqrt

import numpy as np
import pytest

from recommender.evaluation import metrics

WOMEN, MEN, UNISEX, GIRLS, BOYS = range(5)
# Two purchases (of products 0 and 3) with three recommendations each; the last is missing.
RECOMMENDED = np.array([[1, 2, 3], [2, 0, -1]])


def test_category_similarity_looks_up_the_pair_of_purchased_and_recommended():
    matrix = np.array([[1.0, 0.8], [0.2, 1.0]])  # not symmetric, to tell the two apart
    categories = np.array([0, 0, 1, 1])
    values = metrics.category_similarity_percent(RECOMMENDED, np.array([0, 3]), categories, matrix)
    assert values[0].tolist() == [100, 80, 80]
    assert values[1, :2].tolist() == [100, 20]
    assert np.isnan(values[1, 2])


def test_gender_is_that_of_the_recommended_product_and_the_shopper():
    genders = np.array([WOMEN, MEN, UNISEX, WOMEN])
    shoppers = np.array([WOMEN, MEN])
    values = metrics.gender_match_percent(RECOMMENDED, shoppers, genders)
    assert values[0].tolist() == [0, 100, 100]
    assert values[1, :2].tolist() == [100, 0]
    assert np.isnan(values[1, 2])


def test_everything_matches_a_unisex_shopper():
    values = metrics.gender_match_percent(
        np.array([[0, 1, 2]]), np.array([UNISEX]), np.array([WOMEN, MEN, BOYS])
    )
    assert values.tolist() == [[100, 100, 100]]


def test_girls_and_boys_may_see_each_other_but_do_not_match():
    values = metrics.gender_match_percent(
        np.array([[0, 1]]), np.array([GIRLS]), np.array([GIRLS, BOYS])
    )
    assert values.tolist() == [[100, 0]]


def test_without_unisex_only_pairs_of_two_genders_count():
    genders = np.array([WOMEN, MEN, UNISEX, WOMEN])
    values = metrics.gender_match_without_unisex_percent(
        RECOMMENDED, np.array([WOMEN, UNISEX]), genders
    )
    assert values[0, [0, 2]].tolist() == [0, 100]
    assert np.isnan(values[0, 1])
    assert np.isnan(values[1]).all()


def test_the_chance_of_a_gender_match_is_the_share_of_such_products():
    offered = np.array([WOMEN, WOMEN, MEN, UNISEX, MEN, MEN, MEN, MEN])
    shoppers = np.array([WOMEN, MEN, UNISEX])
    with_unisex = metrics.gender_chance_percent(shoppers, offered, with_unisex=True)
    assert with_unisex.tolist() == [300 / 8, 600 / 8, 100]
    without = metrics.gender_chance_percent(shoppers, offered, with_unisex=False)
    assert without[:2] == pytest.approx([200 / 7, 500 / 7])
    assert np.isnan(without[2])


def test_popularity_error_is_the_distance_from_trendiness_either_way():
    values = metrics.popularity_error_percent(
        RECOMMENDED, np.array([0.5, 0.0]), np.array([0.25, 0.5, 0.75, 1.0])
    )
    assert values[0].tolist() == [0, 25, 50]
    assert values[1, :2].tolist() == [75, 25]
    assert np.isnan(values[1, 2])


def test_novelty_is_the_surprise_of_a_product_in_bits():
    values = metrics.novelty_bits(RECOMMENDED, np.array([0, 3, 1, 9]))  # shares 1/17, 4/17, ...
    assert values[0] == pytest.approx([log2(17 / 4), log2(17 / 2), log2(17 / 10)])
    assert values[1, :2] == pytest.approx([log2(17 / 2), log2(17)])
    assert np.isnan(values[1, 2])


def test_diversity_is_the_mean_distance_of_all_pairs_in_a_list():
    vectors = np.array([(1, 0), (0, 1), (1 / sqrt(2), 1 / sqrt(2)), (1, 0)], dtype=np.float32)
    values = metrics.intra_list_diversity(np.array([[1, 2, 3], [0, 3, -1], [2, -1, -1]]), vectors)
    near = 1 - 1 / sqrt(2)
    assert values[0] == pytest.approx((near + 1 + near) / 3, abs=1e-6)
    assert values[1] == 0
    assert np.isnan(values[2])


def test_coverage_counts_different_products_among_the_candidates():
    assert metrics.coverage_percent(RECOMMENDED, np.array([True] * 4 + [False])) == 100
    assert metrics.coverage_percent(np.array([[1, 1], [-1, -1]]), np.ones(4, bool)) == 25


def test_recall_and_ndcg_with_one_product_to_find():
    ranks = np.array([1, 3, 4, np.inf])
    assert metrics.recall_at_k(ranks, 3).tolist() == [1, 1, 0, 0]
    assert metrics.ndcg_at_k(ranks, 3).tolist() == [1, 0.5, 0, 0]  # 1 / log2(3 + 1)


def test_precision_counts_neighbours_of_the_same_category_and_never_oneself():
    vectors = np.array([(1, 0), (0.99, 0.1), (0.8, 0.6), (0, 1)], dtype=np.float32)
    precision = metrics.same_category_precision(vectors, np.array([0, 0, 1, 1]), k=2)
    assert precision.tolist() == [50, 50, 0, 50]  # the third's nearest are the first two
    nearest = metrics.same_category_precision(vectors, np.array([0, 0, 1, 1]), k=1)
    assert nearest.tolist() == [100, 100, 0, 100]


def test_precision_takes_all_others_where_there_are_fewer_than_k():
    vectors = np.eye(3, dtype=np.float32)
    precision = metrics.same_category_precision(vectors, np.array([0, 0, 1]), k=50)
    assert precision.tolist() == [50, 50, 0]
    alone = metrics.same_category_precision(vectors[:1], np.array([0]), k=5)
    assert np.isnan(alone).tolist() == [True]


def test_chance_is_the_mean_precision_of_random_neighbours():
    # 3 of one category and 1 of another: 2/3 for each of the three, 0 for the one
    assert metrics.same_category_chance_percent(np.array([7, 7, 7, 2])) == pytest.approx(50)
