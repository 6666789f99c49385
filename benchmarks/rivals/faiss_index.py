"""FAISS over the full vectors, with the popularity in numpy and the ranking in Python."""

import time

import faiss
import numpy as np

from benchmarks.protocol.contenders import Answer
from benchmarks.protocol.oracle import World
from benchmarks.protocol.questions import Question, Weights
from benchmarks.rivals.reranking import N_CANDIDATES, reranked
from benchmarks.stages import Stages

MAX_GRAPH = 150_000  # products; above, a graph of 1,280-d vectors takes hours on two cores
BLOCK_ROWS = 20_000


class FaissReranked:
    """`HNSW32` while that is built in minutes, else inverted lists of half floats."""

    name = "faiss_rerank"

    def __init__(self, world: World, stages: Stages) -> None:
        started = time.perf_counter()
        data = world.data
        self.world, self.norm = world, world.normalized_popularity()
        self.recipe = "HNSW32,Flat" if len(data) <= MAX_GRAPH else "IVF1024,SQfp16"
        self.index = faiss.index_factory(data.dimension, self.recipe, faiss.METRIC_INNER_PRODUCT)
        with stages.stage(f"FAISS {self.recipe}", len(data)) as report:
            if not self.index.is_trained:
                sample = np.random.default_rng(0).choice(len(data), 50_000, replace=False)
                self.index.train(data.vectors[np.sort(sample)].astype(np.float32))
            for start in range(0, len(data), BLOCK_ROWS):
                self.index.add(data.vectors[start : start + BLOCK_ROWS].astype(np.float32))
                report(start)
        if self.recipe.startswith("HNSW"):
            self.index.hnsw.efSearch = N_CANDIDATES
        else:
            self.index.nprobe = 32
        self.facts = {
            "library": f"faiss-cpu {faiss.__version__}",
            "index": self.recipe,
            "candidates_per_purchase": N_CANDIDATES,
            "build_seconds": round(time.perf_counter() - started, 1),
        }

    def ask(self, question: Question, weights: Weights) -> Answer:
        """One search for all purchases, then the formula over what it found."""
        bought = list(question.bought)
        anchors = self.world.data.vectors[bought].astype(np.float32)
        cosines, positions = self.index.search(anchors, N_CANDIDATES)
        return Answer(
            [
                reranked(self.world, self.norm, question, weights, anchor, found, similar)
                for anchor, found, similar in zip(bought, positions, cosines, strict=True)
            ]
        )
