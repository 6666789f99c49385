"""How good answers are against the exact ones: recall, its lower bound, regret, false claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.contenders import Answer
from benchmarks.protocol.oracle import ExactTop, Formula
from benchmarks.protocol.questions import N_PURCHASES, Question, Weights

TIE = 1e-4  # of relevance: what is that close to the true k-th best counts as found
N_RESAMPLES = 2_000


@dataclass(frozen=True)
class Rails:
    """Per rail of the questions asked, all (n_rails,)."""

    recall: NDArray[np.float64]  # of min(k, how many qualify)
    regret: NDArray[np.float64]  # mean exact relevance missed per place
    is_short: NDArray[np.bool_]  # fewer answers than k although k qualify (or fewer than qualify)
    n_wrong: NDArray[np.int64]  # answers that the filters forbid


def judge(formula: Formula, weights: Weights, exact: ExactTop, answers: Sequence[Answer]) -> Rails:
    """Compare the answers to `formula.questions`, in their order, with the exact tops."""
    k = exact.positions.shape[1]
    found = _positions(answers, k)
    allowed = _allowed(formula.questions, formula, found)
    relevance = np.where(allowed, formula.relevance(weights, found), -np.inf)
    relevance = -np.sort(-relevance, axis=1)
    n_wanted = (exact.positions >= 0).sum(axis=1)
    kth = np.where(exact.positions >= 0, exact.relevance, np.inf).min(axis=1)
    hits = np.minimum((relevance >= kth[:, None] - TIE).sum(axis=1), n_wanted)
    counted = np.arange(k) < n_wanted[:, None]
    wanted = np.where(counted, exact.relevance, 0).sum(axis=1)
    got = np.where(counted & np.isfinite(relevance), relevance, 0).sum(axis=1)
    places = np.maximum(n_wanted, 1)
    return Rails(
        recall=np.where(n_wanted, hits / places, 1.0),
        regret=(wanted - got) / places,
        is_short=(found >= 0).sum(axis=1) < n_wanted,
        n_wrong=((found >= 0) & ~allowed).sum(axis=1),
    )


def quality_figures(rails: Rails) -> dict[str, Any]:
    """The named figures of a set of rails; shoppers are resampled, as their rails are alike."""
    by_shopper = rails.recall.reshape(-1, N_PURCHASES).mean(axis=1)
    rng = np.random.default_rng(1)
    draws = rng.integers(0, len(by_shopper), (N_RESAMPLES, len(by_shopper)))
    lower = np.percentile(by_shopper[draws].mean(axis=1), 2.5)
    return {
        "recall_at_5": round(float(rails.recall.mean()), 4),
        "recall_at_5_lower_95": round(float(lower), 4),
        "mean_regret": round(float(rails.regret.mean()), 6),
        "n_rails": len(rails.recall),
        "n_rails_short": int(rails.is_short.sum()),
        "n_wrong": int(rails.n_wrong.sum()),
    }


def answer_figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """What the answers say of themselves, where they do."""
    figures: dict[str, Any] = {}
    statements = [answer.n_statements for answer in answers if answer.n_statements is not None]
    if statements:
        figures["statements_per_shopper"] = round(float(np.mean(statements)), 3)
        figures["share_widened"] = round(
            float(np.mean([answer.was_widened for answer in answers])), 4
        )
    proven = [answer.n_proven for answer in answers if answer.n_proven is not None]
    if proven:
        figures["proven_share"] = round(sum(proven) / (N_PURCHASES * len(proven)), 4)
    return figures


def relevance_error(formula: Formula, weights: Weights, answers: Sequence[Answer], k: int) -> float:
    """The largest difference between a reported relevance and the formula's."""
    positions = _positions(answers, k)
    exact = formula.relevance(weights, positions)
    reported = np.full(positions.shape, np.nan)
    for row, rail in enumerate(_all_rails(answers)):
        reported[row, : len(rail[:k])] = [relevance for _, relevance in rail[:k]]
    with np.errstate(invalid="ignore"):
        errors = np.abs(reported - exact)
    return float(np.nanmax(np.where(positions >= 0, errors, np.nan), initial=0.0))


def _all_rails(answers: Sequence[Answer]) -> list[list[tuple[int, float]]]:
    return [rail for answer in answers for rail in answer.rails]


def _positions(answers: Sequence[Answer], k: int) -> NDArray[np.int64]:
    """(n_rails, k) product positions, -1 where a rail is short; a repeated product counts once."""
    rows = _all_rails(answers)
    found = np.full((len(rows), k), -1, dtype=np.int64)
    for row, rail in enumerate(rows):
        distinct = list(dict.fromkeys(key - 1 for key, _ in rail))[:k]
        found[row, : len(distinct)] = distinct
    return found


def _allowed(
    questions: Sequence[Question], formula: Formula, found: NDArray[np.int64]
) -> NDArray[np.bool_]:
    everything = slice(0, len(formula.world.data))
    allowed = np.zeros(found.shape, dtype=bool)
    for number, question in enumerate(questions):
        rows = slice(number * N_PURCHASES, (number + 1) * N_PURCHASES)
        ours = Formula(formula.world, [question]).allowed(everything)[0]
        allowed[rows] = ours[np.maximum(found[rows], 0)] & (found[rows] >= 0)
    return allowed
