"""Diversity: lists that are less alike, in exactly the order of the formula."""

import random
from itertools import combinations

import numpy as np
import pytest

from recommender.diversity import maximal_marginal_relevance
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from tests.recommender.worlds import make_world


def naive_mmr(relevance, vectors, diversity, n):
    """Carbonell and Goldstein's formula, read aloud."""
    chosen = []
    while len(chosen) < min(n, len(relevance)):
        left = [i for i in range(len(relevance)) if i not in chosen]
        worth = {
            i: (1 - diversity) * relevance[i]
            - diversity * max((float(vectors[i] @ vectors[j]) for j in chosen), default=0.0)
            for i in left
        }
        chosen.append(max(left, key=lambda i: (worth[i], -i)))
    return chosen


@pytest.mark.parametrize("diversity", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_it_equals_a_loop_over_the_formula(diversity):
    draw = np.random.default_rng(4)
    relevance = np.sort(draw.random(30))[::-1]
    vectors = draw.normal(size=(30, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = maximal_marginal_relevance(relevance, vectors, diversity, 12)
    assert chosen == naive_mmr(relevance, vectors, diversity, 12)
    if diversity == 0:
        assert chosen == list(range(12))


def test_twins_are_not_shown_together_by_hand():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    relevance = np.array([0.9, 0.9, 0.5])
    # After the first: its twin is worth .5 * .9 - .5 * 1 = -.05, the other one .25.
    assert maximal_marginal_relevance(relevance, vectors, 0.5, 3) == [0, 2, 1]
    assert maximal_marginal_relevance(relevance, vectors, 0.0, 3) == [0, 1, 2]


@pytest.fixture
def shopper(db):
    draw = random.Random(8)
    world = make_world()
    for n in range(60):
        x, y = draw.gauss(0, 1), draw.gauss(0, 1)
        world.add(f"item {n}", (2, x, y), popularity=draw.randrange(50))
    return world.shopper("item 0", "item 1", "item 2")


def answer(shopper, diversity):
    settings = RankingSettings.from_profile(default_profile()).with_changes(k=6)
    return recommend(shopper=shopper, settings=settings, diversity=diversity)


def alike(items) -> float:
    """The mean cosine of all pairs in a list."""
    vectors = [np.array(item.product.vectors.get().vector) for item in items]
    return float(np.mean([a @ b for a, b in combinations(vectors, 2)]))


def test_lists_are_less_alike_the_more_diversity_and_the_same_at_none(shopper):
    plain, some, much = (answer(shopper, diversity) for diversity in (0.0, 0.4, 0.8))
    for n in range(3):
        similarities = [alike(a.rails[n].items) for a in (plain, some, much)]
        assert similarities == sorted(similarities, reverse=True)
        assert similarities[0] - similarities[2] > 0.05
        assert [len(a.rails[n].items) for a in (plain, some, much)] == [6, 6, 6]
        assert some.rails[n].items[0].product == plain.rails[n].items[0].product
    assert alike(plain.items[:6]) > alike(much.items[:6])
    relevance = [item.relevance for item in plain.items]
    assert relevance == sorted(relevance, reverse=True)
    assert [rail.proven for rail in much.rails] == [False] * 3
    assert [rail.proven for rail in plain.rails] == [True] * 3


def test_a_shopper_without_purchases_gets_diverse_products_too(shopper):
    new = type(shopper).objects.create(external_id="new", gender="WOMEN")
    plain, diverse = answer(new, 0.0), answer(new, 0.9)
    assert len(plain.items) == len(diverse.items) == 50
    assert alike(diverse.items[:6]) < alike(plain.items[:6])


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_a_diversity_that_is_none_is_refused(shopper, diversity):
    with pytest.raises(ValueError, match="diversity must be from 0 to 1"):
        answer(shopper, diversity)
