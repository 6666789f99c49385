"""Candidates whose popularity lies nearest to t, and rankings by nothing else."""

from dataclasses import dataclass

import numpy as np

from recommender.batch.arrays import ProductArrays, PurchaseArrays, ShopperArrays, TopK
from recommender.batch.checking import checked
from recommender.batch.pairs import is_bought
from recommender.batch.pools import Pool, pools
from recommender.batch.rescaling import CosineRanges
from recommender.ranking import RankingSettings

N_OWNED = 16  # read beyond k on either side, as some of them may be the shopper's already
PURCHASES_PER_CHUNK = 4_096


@dataclass(frozen=True)
class Trending:
    """For each of `p` values of t the candidates on either side, nearest first.

    Of equal popularity the smaller keys come first. A side may have fewer than there are places.
    """

    places: np.ndarray  # (p, 2 n) in the pool: n not below t, n below
    is_filled: np.ndarray  # (p, 2 n) bool
    distance_outside: np.ndarray  # (p,) of any other candidate from t, at least; infinity: no other

    def match_outside(self, settings: RankingSettings) -> np.ndarray:
        """(p,) the best popularity term of any other candidate, -inf where there is none."""
        match = 1 - self.distance_outside**settings.penalty_exponent
        none = np.isinf(self.distance_outside)
        return np.where(none, -np.inf, settings.weight_popularity * np.where(none, 0.0, match))


def trending_candidates(pool: Pool, trendiness: np.ndarray, n: int) -> Trending:
    """The `n` candidates next to t on either side, for trendiness (p,)."""
    m = len(pool.products)
    n_below = np.searchsorted(pool.rising_popularity, trendiness)[:, None]  # (p, 1)
    ranks = np.hstack([n_below + np.arange(n), m - n_below + np.arange(n)])  # (p, 2 n)
    is_filled = ranks < m
    ranks = np.minimum(ranks, m - 1)
    places = np.hstack([pool.rising[ranks[:, :n]], pool.falling[ranks[:, n:]]])
    last = places[:, [n - 1, -1]]
    distances = np.abs(pool.popularity[last] - trendiness[:, None])
    distances = np.where(is_filled[:, [n - 1, -1]], distances, np.inf)
    return Trending(places, is_filled, distances.min(axis=1))


def trending_top_k(
    *,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
) -> tuple[TopK, np.ndarray]:
    """`bounded_top_k` where only popularity has a weight, and so many products tie.

    Proven where each side has given k that may be recommended, or all that it has: whatever comes
    after them is further away, or as far with a larger key.
    """
    found = TopK.empty(len(purchases.products), settings.k)
    proven = np.zeros(len(purchases.products), dtype=bool)
    for pool, rows in pools(products, shoppers, purchases, settings, products.vectors):
        if len(pool.products) == 0:
            proven[rows] = True
            continue
        for start in range(0, len(rows), PURCHASES_PER_CHUNK):
            chunk = rows[start : start + PURCHASES_PER_CHUNK]
            best, proven[chunk] = _best(pool, products, shoppers, purchases.at(chunk), settings)
            found.put(chunk, best)
    return found, proven


def _best(
    pool: Pool,
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
) -> tuple[TopK, np.ndarray]:
    n = settings.k + N_OWNED
    trending = trending_candidates(pool, shoppers.trendiness[purchases.shoppers], n)
    positions = pool.products[trending.places]
    allowed = trending.is_filled & ~is_bought(shoppers, purchases.shoppers, positions)
    ranges = CosineRanges.raw(len(positions))
    best = checked(positions, allowed, products, shoppers, purchases, settings, ranges)
    sides = np.stack([allowed[:, :n], allowed[:, n:]], axis=1)  # (p, 2, n)
    exhausted = ~trending.is_filled[:, [n - 1, -1]]
    return best, ((sides.sum(axis=2) >= settings.k) | exhausted).all(axis=1)
