"""Neighbours from somewhere else, re-ranked in Python by the whole formula."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.oracle import World
from benchmarks.protocol.questions import Question, Weights

K = 5
N_CANDIDATES = 200  # per purchase: as many as our own index path's first neighbours


def reranked(
    world: World,
    norm: NDArray[np.float64],
    question: Question,
    weights: Weights,
    bought: int,
    positions: NDArray[np.int64],
    cosines: NDArray[np.floating],
) -> list[tuple[int, float]]:
    """The best K candidates as (product key, relevance), without wrong genders and the bought."""
    data = world.data
    kept = (positions >= 0) & ~np.isin(positions, question.bought)
    kept &= np.isin(data.genders[positions], question.gender_codes)
    positions, cosines = positions[kept], cosines[kept]
    match = 1 - np.abs(norm[positions] - question.trendiness) ** 2
    alike = world.category_similarity[data.categories[bought], data.categories[positions]]
    relevance = weights.visual * cosines + weights.popularity * match + weights.category * alike
    best = np.argsort(-relevance, kind="stable")[:K]
    return [(int(positions[n]) + 1, float(relevance[n])) for n in best]
