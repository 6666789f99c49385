"""Who buys what and when in a simulated year.

Source: the trend-aware purchase simulation of the paper. Ours differs in that a purchase counts
into the popularity at once, that purchases of all shoppers happen in one chronological order, and
that nobody buys a product twice (a bought product could not be recommended again anyway).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shoppers.simulation.draw import BY_POPULARITY, Popularity, by_unpopularity

PURCHASES_PER_REPORT = 10_000  # a tenth of a second or so


@dataclass(frozen=True)
class Schedule:
    """When shoppers want to buy, in chronological order: each field is (n_wanted,)."""

    shopper: NDArray[np.int64]
    instant: NDArray[np.datetime64]  # UTC, whole seconds
    is_first: NDArray[np.bool_]  # the shopper's first purchase


@dataclass(frozen=True)
class Year:
    """What happened, in chronological order.

    `shopper` and `product` (n_purchases,) index the inputs; `normalized_popularity` (n_purchases,)
    in [0, 1] is the product's just before the purchase counted; `gender` (n_shoppers,) is that of
    the first product of each.
    """

    shopper: NDArray[np.int64]
    product: NDArray[np.int64]
    instant: NDArray[np.datetime64]
    is_first: NDArray[np.bool_]
    normalized_popularity: NDArray[np.float64]
    gender: NDArray[np.int64]


def draw_schedule(rng: np.random.Generator, n_wanted: NDArray[np.int64], year: int) -> Schedule:
    """Random instants of the year for `n_wanted` (n_shoppers,) purchases of each shopper."""
    start = np.datetime64(f"{year:04d}-01-01", "s")
    n_seconds = int((np.datetime64(f"{year + 1:04d}-01-01", "s") - start).astype(np.int64))
    shopper = np.repeat(np.arange(len(n_wanted)), n_wanted)
    second = rng.integers(n_seconds, size=len(shopper))
    order = np.lexsort((shopper, second))
    shopper, second = shopper[order], second[order]
    is_first = np.zeros(len(shopper), dtype=bool)
    is_first[np.unique(shopper, return_index=True)[1]] = True
    return Schedule(shopper, start + second.astype("timedelta64[s]"), is_first)


def simulate_year(
    rng: np.random.Generator,
    *,
    schedule: Schedule,
    trendiness: NDArray[np.float64],
    gender: NDArray[np.int64],
    popularity: NDArray[np.int64],
    compatible: Mapping[int, Sequence[int]],
    on_progress: Callable[[int, int], None] | None = None,
) -> Year:
    """Let every shopper buy as scheduled.

    `trendiness` (n_shoppers,) in [0, 1] is the paper's t; `gender` (n_products,) holds codes and
    `popularity` (n_products,) the starting values; `compatible` lists the codes that a shopper of
    each gender may buy. A first product is drawn uniformly and fixes the shopper's gender; a later
    one with probability t in proportion to popularity, else to (max - popularity), where max is
    that of the whole catalogue at the moment. Who has bought everything compatible buys no more.

    Cost: O(log n_products) per purchase. `on_progress` gets (purchases done, planned).
    """
    market = Popularity(gender, popularity)
    first_product = rng.integers(len(gender), size=len(trendiness))
    plan = _Plan(
        shopper=schedule.shopper.tolist(),
        follows_trend=(rng.random(len(schedule.shopper)) < trendiness[schedule.shopper]).tolist(),
        uniform=rng.random(len(schedule.shopper)).tolist(),
        first_product=first_product.tolist(),
        may_buy=[compatible[code] for code in gender[first_product].tolist()],
    )
    product, normalized = _buy_in_order(plan, market, on_progress)
    happened = product >= 0
    return Year(
        shopper=schedule.shopper[happened],
        product=product[happened],
        instant=schedule.instant[happened],
        is_first=schedule.is_first[happened],
        normalized_popularity=normalized[happened],
        gender=gender[first_product],
    )


class _Plan(NamedTuple):
    """The random choices, as lists: reading numpy arrays one by one costs four times as much."""

    shopper: list[int]  # this and the next two: one per wanted purchase
    follows_trend: list[bool]
    uniform: list[float]
    first_product: list[int]  # this and the next: one per shopper
    may_buy: list[Sequence[int]]


def _buy_in_order(
    plan: _Plan, market: Popularity, on_progress: Callable[[int, int], None] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The product and its NormPop for each wanted purchase; product -1 where nothing was left."""
    n_wanted = len(plan.shopper)
    product = np.full(n_wanted, -1, dtype=np.int64)
    normalized = np.zeros(n_wanted)
    baskets: list[list[int]] = [[] for _ in plan.first_product]
    for event, shopper in enumerate(plan.shopper):
        basket = baskets[shopper]
        if basket:
            follows = plan.follows_trend[event]
            weighting = BY_POPULARITY if follows else by_unpopularity(market.highest)
            choice = market.draw(plan.may_buy[shopper], basket, weighting, plan.uniform[event])
        else:
            choice = plan.first_product[shopper]
        if choice is not None:
            product[event] = choice
            normalized[event] = market.normalized(choice)
            market.buy(choice)
            basket.append(choice)
        if on_progress and (event + 1) % PURCHASES_PER_REPORT == 0:
            on_progress(event + 1, n_wanted)
    return product, normalized
