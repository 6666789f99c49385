"""Exact weighted draws among products whose popularity changes with every purchase.

Both rules of the simulated year weigh a product linearly in its popularity p: trend followers by p,
the others by (max - p). One Fenwick tree of popularity per gender therefore serves both, for any
max, at O(log n) per draw and per purchase, without rejection.
"""

from collections.abc import Sequence
from heapq import heapify, heapreplace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Weighting(NamedTuple):
    """The weight of a product with popularity p is `per_product + per_popularity * p`."""

    per_product: int
    per_popularity: int


UNIFORM = Weighting(per_product=1, per_popularity=0)
BY_POPULARITY = Weighting(per_product=0, per_popularity=1)


def by_unpopularity(highest: int) -> Weighting:
    """The weighting (highest - popularity)."""
    return Weighting(per_product=highest, per_popularity=-1)


class PopularityTree:
    """Integer popularity of n products, with prefix sums that follow each purchase.

    Source: P. M. Fenwick, A New Data Structure for Cumulative Frequency Tables (1994); one-based
    inside, zero-based outside.
    """

    def __init__(self, popularity: NDArray[np.int64]) -> None:
        cumulative = np.concatenate([[0], np.cumsum(popularity, dtype=np.int64)])  # (n + 1,)
        node = np.arange(len(cumulative))
        # Plain ints: indexing a numpy array from Python costs four times as much.
        self._sums: list[int] = (cumulative - cumulative[node - (node & -node)]).tolist()
        self._highest_step = 1 << (len(popularity).bit_length() - 1) if len(popularity) else 0
        self.n_products = len(popularity)
        self.total = int(cumulative[-1])

    def add_one(self, position: int) -> None:
        """Count one purchase of the product at `position`."""
        self.total += 1
        node = position + 1
        while node <= self.n_products:
            self._sums[node] += 1
            node += node & -node

    def popularity_before(self, position: int) -> int:
        """The summed popularity of all products before `position`."""
        total = 0
        while position:
            total += self._sums[position]
            position &= position - 1
        return total

    def find(self, target: int, weighting: Weighting) -> int:
        """The position at which the running sum of weights passes `target`, 0 <= target < sum.

        Uniform targets give each product in proportion to its weight, and one of weight 0 never.
        """
        per_product, per_popularity = weighting
        position, step = 0, self._highest_step
        while step:
            node = position + step
            if node <= self.n_products:
                weight = per_product * step + per_popularity * self._sums[node]
                if weight <= target:
                    target -= weight
                    position = node
            step >>= 1
        return position


class Popularity:
    """The current popularity of a catalogue, and draws from it by gender.

    Takes `gender` (n_products,) small integer codes and `popularity` (n_products,) non-negative.
    The summed weights stay far below 2**53 (100,000 products x 2**31 is 2**48), so a float in
    [0, 1) picks an integer target with a bias that no test could see.
    """

    def __init__(self, gender: NDArray[np.int64], popularity: NDArray[np.int64]) -> None:
        self._gender: list[int] = gender.tolist()
        self._popularity: list[int] = popularity.tolist()
        n_genders = int(gender.max()) + 1
        self._members: list[list[int]] = []
        self._trees: list[PopularityTree] = []
        position = np.zeros(len(gender), dtype=np.int64)
        for code in range(n_genders):
            members = np.flatnonzero(gender == code)
            position[members] = np.arange(len(members))
            self._members.append(members.tolist())
            self._trees.append(PopularityTree(popularity[members]))
        self._position: list[int] = position.tolist()  # of each product within its gender
        self.highest = int(popularity.max())
        self._lowest_first = [(value, index) for index, value in enumerate(self._popularity)]
        heapify(self._lowest_first)

    @property
    def lowest(self) -> int:
        """The lowest popularity in the catalogue.

        An entry of the heap is refreshed only when it comes to the top: O(log n), amortised.
        """
        heap = self._lowest_first
        while heap[0][0] != self._popularity[heap[0][1]]:
            heapreplace(heap, (self._popularity[heap[0][1]], heap[0][1]))
        return heap[0][0]

    def normalized(self, product: int) -> float:
        """NormPop: min-max over the catalogue, 0 where all are equal."""
        lowest = self.lowest
        if lowest == self.highest:
            return 0.0
        return (self._popularity[product] - lowest) / (self.highest - lowest)

    def buy(self, product: int) -> None:
        """Count one purchase."""
        popularity = self._popularity[product] + 1
        self._popularity[product] = popularity
        self.highest = max(self.highest, popularity)
        self._trees[self._gender[product]].add_one(self._position[product])

    def draw(
        self, genders: Sequence[int], bought: Sequence[int], weighting: Weighting, uniform: float
    ) -> int | None:
        """A product of one of `genders` that is not among `bought`; None where there is none.

        Products come in proportion to their weight, or alike where every weight is 0. `uniform` is
        a random number in [0, 1): the same one gives the same product.
        """
        by_gender: dict[int, list[int]] = {gender: [] for gender in genders if self._has(gender)}
        for product in bought:
            if self._gender[product] in by_gender:
                by_gender[self._gender[product]].append(product)
        weights = {
            gender: self._weight(gender, by_gender[gender], weighting) for gender in by_gender
        }
        total = sum(weights.values())
        if total == 0:
            return None if weighting == UNIFORM else self.draw(genders, bought, UNIFORM, uniform)
        target = int(uniform * total)
        for gender, weight in weights.items():
            if target < weight:
                return self._find(gender, by_gender[gender], weighting, target)
            target -= weight
        raise AssertionError("the target is below the sum of the weights that it was drawn from")

    def _has(self, gender: int) -> bool:
        return gender < len(self._trees) and self._trees[gender].n_products > 0

    def _weight(self, gender: int, bought: list[int], weighting: Weighting) -> int:
        """The summed weight of a gender's products without those bought."""
        tree = self._trees[gender]
        n_left = tree.n_products - len(bought)
        popularity_left = tree.total - sum(self._popularity[product] for product in bought)
        return weighting.per_product * n_left + weighting.per_popularity * popularity_left

    def _find(self, gender: int, bought: list[int], weighting: Weighting, target: int) -> int:
        """The product at `target` once the bought ones are cut out of the running sum."""
        tree = self._trees[gender]
        per_product, per_popularity = weighting
        for position, product in sorted((self._position[p], p) for p in bought):
            before = per_product * position + per_popularity * tree.popularity_before(position)
            if target < before:
                break
            target += per_product + per_popularity * self._popularity[product]
        return self._members[gender][tree.find(target, weighting)]
