"""The public implementation's way, re-implemented from its description."""

import numpy as np
import torch
from torch.nn.functional import cosine_similarity

from benchmarks.protocol.contenders import Answer
from benchmarks.protocol.oracle import World
from benchmarks.protocol.questions import Question, Weights

K = 5


class NaiveLoop:
    """Everything in memory, a Python loop over all candidates, one `.item()` each."""

    name = "naive_loop"

    def __init__(self, world: World) -> None:
        self.vectors = torch.tensor(np.asarray(world.data.vectors, dtype=np.float32))
        self.genders = world.data.genders.tolist()
        self.categories = world.data.categories.tolist()
        self.similarity = world.category_similarity.tolist()
        self.popularity = world.normalized_popularity().tolist()

    def ask(self, question: Question, weights: Weights) -> Answer:
        """Rank all products for each purchase."""
        return Answer([self._rail(bought, question, weights) for bought in question.bought])

    def _rail(self, bought: int, question: Question, weights: Weights) -> list[tuple[int, float]]:
        scored = []
        for n in range(len(self.genders)):
            if n in question.bought or self.genders[n] not in question.gender_codes:
                continue
            cosine = cosine_similarity(self.vectors[bought], self.vectors[n], dim=0).item()
            gap = abs(self.popularity[n] - question.trendiness) ** 2
            alike = self.similarity[self.categories[bought]][self.categories[n]]
            relevance = weights.visual * cosine + weights.popularity * (1 - gap)
            scored.append((n + 1, relevance + weights.category * alike))
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:K]
