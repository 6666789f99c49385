"""The exact answers by the formula over full vectors, for many shoppers and cases in one pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.catalogue_data import GENDERS, CatalogueData
from benchmarks.datasets.stores import StoreNetwork
from benchmarks.protocol.questions import Question, Weights, all_purchases

MARGIN = 8  # candidates kept beyond k, as float32 sums may swap neighbours by 1e-6
BLOCK_ELEMENTS = 20_000_000  # rails x products at a time: 80 MB
PENALTY_EXPONENT = 2.0  # gamma, DESIGN.md's default


@dataclass(frozen=True)
class World:
    """Everything that the formula reads, by position."""

    data: CatalogueData
    popularity: NDArray[np.int32]  # (n,)
    category_similarity: NDArray[np.float64]  # (n_categories, n_categories)
    stores: StoreNetwork

    def normalized_popularity(self) -> NDArray[np.float64]:
        """(n,) NormPop in [0, 1]; 0 where all are equal."""
        low, high = int(self.popularity.min()), int(self.popularity.max())
        return (self.popularity - float(low)) / max(high - low, 1)


@dataclass(frozen=True)
class ExactTop:
    """Per rail (shopper-major) the best k; where fewer qualify, position -1 and relevance -inf."""

    positions: NDArray[np.int64]  # (n_rails, k)
    relevance: NDArray[np.float64]  # (n_rails, k), descending


class Formula:
    """The relevance of given products for the purchases of given questions, in float64."""

    def __init__(self, world: World, questions: Sequence[Question]) -> None:
        self.world = world
        self.questions = questions
        self._norm = world.normalized_popularity()

    def allowed(self, block: slice) -> NDArray[np.bool_]:
        """(n_shoppers, b) whether a product of the block may be recommended."""
        data = self.world.data
        rows = [self._allowed_for(question, block) for question in self.questions]
        allowed = np.array(rows)
        length = len(data.genders[block])
        for row, question in enumerate(self.questions):
            inside = np.array(question.bought) - (block.start or 0)
            allowed[row, inside[(inside >= 0) & (inside < length)]] = False
        return allowed

    def _allowed_for(self, question: Question, block: slice) -> NDArray[np.bool_]:
        data, filters = self.world.data, question.filters
        allowed = np.isin(np.arange(len(GENDERS)), question.gender_codes)[data.genders[block]]
        if filters.category is not None:
            allowed &= data.categories[block] == filters.category
        if filters.price_cents is not None:
            low, high = filters.price_cents
            allowed &= (data.prices_cents[block] >= low) & (data.prices_cents[block] <= high)
        if filters.stores is not None:
            stores = np.array(filters.stores, dtype=np.int64)
            allowed &= self.world.stores.products_in(stores, len(data))[block]
        return allowed

    def popularity_match(self, block: slice) -> NDArray[np.float32]:
        """(n_shoppers, b) 1 - |NormPop - t|^gamma."""
        gaps = np.abs(self._norm[block] - self._trendiness()[:, None]).astype(np.float32)
        return 1 - gaps * gaps  # gamma is 2

    def relevance(self, weights: Weights, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n_rails, m) of products (n_rails, m); -inf at position -1. Filters are not looked at."""
        bought = all_purchases(self.questions)
        rails = zip(bought.ravel(), np.repeat(self._trendiness(), bought.shape[1]), strict=True)
        found = np.array(
            [
                self._of_rail(weights, anchor, trendiness, row)
                for (anchor, trendiness), row in zip(rails, positions, strict=True)
            ]
        )
        return np.where(positions >= 0, found, -np.inf)

    def _of_rail(
        self, weights: Weights, anchor: int, trendiness: float, row: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        data = self.world.data
        vectors = data.vectors[row].astype(np.float64)
        bought = data.vectors[anchor].astype(np.float64)
        cosines = vectors @ bought / np.linalg.norm(vectors, axis=1) / np.linalg.norm(bought)
        match = 1 - np.abs(self._norm[row] - trendiness) ** PENALTY_EXPONENT
        alike = self.world.category_similarity[data.categories[anchor], data.categories[row]]
        return weights.visual * cosines + weights.popularity * match + weights.category * alike

    def _trendiness(self) -> NDArray[np.float64]:
        return np.array([question.trendiness for question in self.questions])


def exact_tops(
    formula: Formula,
    cases: Sequence[Weights],
    k: int,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[ExactTop]:
    """The top k of every rail for each of the weights. Cost: one product of all vectors with all
    purchases, in float32; the best are ranked again in float64.
    """
    data = formula.world.data
    bought = all_purchases(formula.questions)
    anchors = _unit(data.vectors[bought.ravel()])  # (n_rails, dimension)
    kept = [_Best(len(anchors), k + MARGIN) for _ in cases]
    size = max(1, BLOCK_ELEMENTS // len(anchors))
    alike = formula.world.category_similarity[data.categories[bought.ravel()]].astype(np.float32)
    for start in range(0, len(data), size):
        block = slice(start, min(start + size, len(data)))
        cosines = anchors @ _unit(data.vectors[block]).T  # (n_rails, b)
        match = np.where(formula.allowed(block), formula.popularity_match(block), -np.inf)
        match = np.repeat(match, bought.shape[1], axis=0)  # (n_rails, b)
        same = alike[:, data.categories[block]] if any(c.category for c in cases) else None
        for best, weights in zip(kept, cases, strict=True):
            best.add(_scores(weights, cosines, match, same), start)
        on_progress(block.stop)
    return [_ranked(formula, weights, best, k) for weights, best in zip(cases, kept, strict=True)]


def _scores(
    weights: Weights,
    cosines: NDArray[np.float32],
    match: NDArray[np.float32],
    same: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    if weights.popularity:
        scores = match * np.float32(weights.popularity)
    else:
        scores = np.where(match > -np.inf, np.float32(0), match)
    if weights.visual:
        scores += np.float32(weights.visual) * cosines
    if weights.category:
        scores += np.float32(weights.category) * same
    return scores


def _unit(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    """Rounding to half floats changes lengths by some 1e-4; a cosine does not see that."""
    rows = vectors.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class _Best:
    """The m best columns of every row, over blocks of columns."""

    def __init__(self, n_rows: int, m: int) -> None:
        self.scores = np.full((n_rows, m), -np.inf, dtype=np.float32)
        self.positions = np.full((n_rows, m), -1, dtype=np.int64)

    def add(self, scores: NDArray[np.float32], start: int) -> None:
        """Take in a block (n_rows, b) whose first column is product `start`."""
        m = self.scores.shape[1]
        if np.isneginf(self.scores[:, -1]).any() and scores.shape[1] > m:
            columns = np.argpartition(-scores, m - 1, axis=1)[:, :m]
            self._merge(np.take_along_axis(scores, columns, axis=1), columns + start)
            return
        rows, columns = np.nonzero(scores > self.scores[:, -1:])  # few, row by row
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        for part in np.split(np.arange(len(rows)), starts[1:]):
            if len(part):
                row, mine = rows[part[0]], columns[part]
                self._merge_row(row, scores[row, mine], mine + start)

    def _merge(self, scores: NDArray[np.float32], positions: NDArray[np.int64]) -> None:
        both = np.concatenate([self.scores, scores], axis=1)
        places = np.concatenate([self.positions, positions], axis=1)
        order = np.argsort(-both, axis=1, kind="stable")[:, : self.scores.shape[1]]
        self.scores = np.take_along_axis(both, order, axis=1)
        self.positions = np.take_along_axis(places, order, axis=1)

    def _merge_row(
        self, row: int, scores: NDArray[np.float32], positions: NDArray[np.int64]
    ) -> None:
        both = np.concatenate([self.scores[row], scores])
        places = np.concatenate([self.positions[row], positions])
        order = np.argsort(-both, kind="stable")[: self.scores.shape[1]]
        self.scores[row], self.positions[row] = both[order], places[order]


def _ranked(formula: Formula, weights: Weights, best: _Best, k: int) -> ExactTop:
    positions = np.where(np.isneginf(best.scores), -1, best.positions)
    relevance = formula.relevance(weights, positions)
    order = np.lexsort((positions, -relevance), axis=1)[:, :k]
    return ExactTop(
        np.take_along_axis(positions, order, axis=1), np.take_along_axis(relevance, order, axis=1)
    )
