import numpy as np
import pytest

from benchmarks.protocol.contenders import Answer
from benchmarks.protocol.oracle import Formula, exact_tops
from benchmarks.protocol.quality import judge, quality_figures, relevance_error
from benchmarks.protocol.questions import N_PURCHASES, Filters, Weights, draw_questions
from tests.benchmarks.small_worlds import small_world

LOOKS = Weights(1.0, 0.0, 0.0)


@pytest.fixture
def asked():
    world = small_world()
    questions = draw_questions(world.data, 4, 12, seed=3)
    formula = Formula(world, questions)
    (exact,) = exact_tops(formula, [LOOKS], 5)
    return formula, exact


def answers_of(exact, change=lambda rail: rail) -> list[Answer]:
    rails = [
        change([(int(n) + 1, float(r)) for n, r in zip(row, relevance, strict=True)])
        for row, relevance in zip(exact.positions, exact.relevance, strict=True)
    ]
    starts = range(0, len(rails), N_PURCHASES)
    return [Answer(rails[start : start + N_PURCHASES]) for start in starts]


def test_the_exact_answer_has_full_recall_and_no_regret(asked):
    formula, exact = asked
    figures = quality_figures(judge(formula, LOOKS, exact, answers_of(exact)))
    assert figures == {
        "recall_at_5": 1.0,
        "recall_at_5_lower_95": 1.0,
        "mean_regret": 0.0,
        "n_rails": 20,
        "n_rails_short": 0,
        "n_wrong": 0,
    }


def test_a_missing_answer_costs_its_share_of_recall_and_its_relevance(asked):
    formula, exact = asked
    rails = judge(formula, LOOKS, exact, answers_of(exact, lambda rail: rail[1:]))
    assert rails.recall == pytest.approx(np.full(20, 0.8))
    assert rails.regret == pytest.approx(
        (exact.relevance.sum(axis=1) - exact.relevance[:, 1:].sum(axis=1)) / 5
    )
    assert rails.is_short.all()


def test_the_same_product_five_times_is_one_answer(asked):
    formula, exact = asked
    rails = judge(formula, LOOKS, exact, answers_of(exact, lambda rail: rail[:1] * 5))
    assert rails.recall == pytest.approx(np.full(20, 0.2))


def test_a_tie_with_the_fifth_counts_as_found(asked):
    formula, exact = asked
    world = formula.world
    fifth = exact.positions[0, 4]
    owned = set(formula.questions[0].bought)
    other = next(n for n in range(len(world.data)) if n not in {*exact.positions[0], *owned})
    world.data.vectors[other] = world.data.vectors[fifth]
    world.data.genders[other] = world.data.genders[fifth]
    answers = answers_of(exact)
    answers[0].rails[0][4] = (other + 1, 0.0)
    assert judge(formula, LOOKS, exact, answers).recall[0] == 1.0


def test_what_the_filters_forbid_is_wrong_and_no_hit(asked):
    formula, _ = asked
    questions = [question.filtered(Filters(category=1)) for question in formula.questions]
    narrowed = Formula(formula.world, questions)
    (exact,) = exact_tops(narrowed, [LOOKS], 5)
    forbidden = int(np.flatnonzero(formula.world.data.categories != 1)[0])
    answers = answers_of(exact, lambda rail: [(forbidden + 1, 9.0), *rail[1:]])
    rails = judge(narrowed, LOOKS, exact, answers)
    assert rails.n_wrong.tolist() == [1] * 20
    assert rails.recall == pytest.approx(np.full(20, 0.8))


def test_a_false_relevance_is_found_out(asked):
    formula, exact = asked
    honest = answers_of(exact)
    assert relevance_error(formula, LOOKS, honest, 5) == pytest.approx(0, abs=1e-12)
    product, relevance = honest[1].rails[2][0]
    honest[1].rails[2][0] = (product, relevance + 0.25)
    assert relevance_error(formula, LOOKS, honest, 5) == pytest.approx(0.25)
