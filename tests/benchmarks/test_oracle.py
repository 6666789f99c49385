from dataclasses import replace

import numpy as np
import pytest

from benchmarks.protocol import oracle
from benchmarks.protocol.oracle import Formula, exact_tops
from benchmarks.protocol.questions import WEIGHTS, Filters, draw_questions
from benchmarks.rivals.naive_loop import NaiveLoop
from tests.benchmarks.small_worlds import small_world


@pytest.fixture
def in_small_blocks(monkeypatch):
    """Some twenty products at a time, so that the best are carried over many blocks."""
    monkeypatch.setattr(oracle, "BLOCK_ELEMENTS", 1_000)


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_the_blocked_oracle_finds_what_the_loop_over_the_formula_finds(weights, in_small_blocks):
    world = small_world()
    questions = draw_questions(world.data, 10, 12, seed=1)
    (exact,) = exact_tops(Formula(world, questions), [weights], 5)
    loop = NaiveLoop(world)
    rails = [rail for question in questions for rail in loop.ask(question, weights).rails]
    expected = np.array([[relevance for _, relevance in rail] for rail in rails])
    assert exact.relevance == pytest.approx(expected, abs=1e-5)
    assert len(rails) == 50


def test_only_products_that_pass_every_filter_are_ranked():
    world = small_world(900)
    (question,) = draw_questions(world.data, 1, 12, seed=2)
    filters = Filters(category=2, price_cents=(500, 9_500), stores=tuple(range(50)))
    (exact,) = exact_tops(Formula(world, [question.filtered(filters)]), [WEIGHTS[0]], 50)
    data, stores = world.data, world.stores
    stocked = {
        product
        for product, store in zip(stores.stocked_products, stores.stocked_stores, strict=True)
        if store < 50
    }
    qualifying = {
        n
        for n in range(len(data))
        if data.genders[n] in question.gender_codes
        and data.categories[n] == 2
        and 500 <= data.prices_cents[n] <= 9_500
        and n in stocked
        and n not in question.bought
    }
    assert qualifying
    for rail in exact.positions:
        assert {int(n) for n in rail if n >= 0} == qualifying


def test_equal_popularity_everywhere_normalises_to_zero():
    world = small_world()
    world = replace(world, popularity=np.full(len(world.data), 7, dtype=np.int32))
    assert not world.normalized_popularity().any()
