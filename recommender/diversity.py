"""Maximal marginal relevance: lists that do not show the same thing five times."""

import numpy as np


def maximal_marginal_relevance(
    relevance: np.ndarray, vectors: np.ndarray, diversity: float, n: int
) -> list[int]:
    """Places of `n` candidates in the order in which they are chosen.

    Each time the one with the largest (1 - diversity) relevance - diversity max cos(v, chosen);
    ties go to the earlier place.

    Args:
        relevance: (n_candidates,).
        vectors: (n_candidates, dimension) of length 1, or zero.
        diversity: from 0, relevance alone, to 1; the paper's 1 - lambda.
        n: how many to choose.

    Source: J. Carbonell, J. Goldstein, The use of MMR, SIGIR 1998, section 2. Sim1 is the relevance
    here, which also has a popularity in it.
    """
    chosen: list[int] = []
    nearest = np.zeros(len(relevance))  # nothing chosen: nothing is alike
    left = np.ones(len(relevance), dtype=bool)
    for _ in range(min(n, len(relevance))):
        score = (1 - diversity) * relevance - diversity * nearest
        place = int(np.argmax(np.where(left, score, -np.inf)))
        similarity = vectors @ vectors[place]
        nearest = similarity if not chosen else np.maximum(nearest, similarity)
        left[place] = False
        chosen.append(place)
    return chosen
