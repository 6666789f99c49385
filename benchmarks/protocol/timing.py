"""How long answers take: in turn for one shopper after the other, and with several clients."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

from benchmarks.django_setup import set_up_again
from benchmarks.protocol.contenders import Answer, Contender, ServingPath
from benchmarks.protocol.questions import Question, Weights

N_WARM = 3  # questions asked before the clock runs
N_CLIENTS = 4


class InTurn:
    """Contenders asked the same questions alternately, so that a slow minute slows all of them."""

    def __init__(self, contenders: Sequence[tuple[Contender, int]]) -> None:
        """Each with how many questions it is asked, the slow ones fewer."""
        self.contenders = contenders
        self.seconds: dict[str, list[float]] = {c.name: [] for c, _ in contenders}
        self.answers: dict[str, list[Answer]] = {c.name: [] for c, _ in contenders}

    def run(
        self,
        questions: Sequence[Question],
        weights: Weights,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Ask everything; the first few are asked twice and timed the second time."""
        for contender, n_questions in self.contenders:
            for question in questions[: min(N_WARM, n_questions)]:
                contender.ask(question, weights)
        for number, question in enumerate(questions):
            for contender, n_questions in self.contenders:
                if number < n_questions:
                    started = time.perf_counter()
                    answer = contender.ask(question, weights)
                    self.seconds[contender.name].append(time.perf_counter() - started)
                    self.answers[contender.name].append(answer)
            on_progress(number + 1)

    def ratio(self, slow: str, fast: str) -> float | None:
        """The median of how many times longer `slow` took, over the questions both were asked."""
        both = list(zip(self.seconds[slow], self.seconds[fast], strict=False))
        return round(float(np.median([s / f for s, f in both])), 2) if both else None


def throughput(
    path: ServingPath,
    questions: Sequence[Question],
    weights: Weights,
    *,
    seconds: float = 5.0,
    n_windows: int = 3,
) -> dict[str, Any]:
    """Shoppers per second with N_CLIENTS processes that ask without pause, over a few windows."""
    starts = [n * len(questions) // N_CLIENTS for n in range(N_CLIENTS)]
    shares = [[*questions[start:], *questions[:start]] for start in starts]
    rates = []
    context = get_context("spawn")
    with ProcessPoolExecutor(N_CLIENTS, mp_context=context, initializer=set_up_again) as pool:
        list(pool.map(_ask_all, [path] * N_CLIENTS, shares, [weights] * N_CLIENTS, [1.0] * 4))
        for _ in range(n_windows):
            jobs = ([path] * N_CLIENTS, shares, [weights] * N_CLIENTS, [seconds] * N_CLIENTS)
            rates.append(sum(pool.map(_ask_all, *jobs)))
    return {
        "clients": N_CLIENTS,
        "shoppers_per_second": round(float(np.median(rates)), 1),
        "shoppers_per_second_min": round(min(rates), 1),
        "shoppers_per_second_max": round(max(rates), 1),
    }


def _ask_all(
    path: ServingPath, questions: Sequence[Question], weights: Weights, seconds: float
) -> float:
    """Questions per second of one client; in a process of its own."""
    for question in questions[:2]:
        path.ask(question, weights)
    started = time.perf_counter()
    n_asked = 0
    while (elapsed := time.perf_counter() - started) < seconds:
        path.ask(questions[n_asked % len(questions)], weights)
        n_asked += 1
    return n_asked / elapsed
