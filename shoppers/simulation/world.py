"""A whole simulation from one seed: stores and stock, base popularity, shoppers, their year."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shoppers.geography import WHOLE_EARTH, BoundingBox, random_points
from shoppers.simulation.stock import spread_over_stores
from shoppers.simulation.year import Year, draw_schedule, simulate_year

HIGHEST_BASE_POPULARITY = 100
FIRST_YEAR, LAST_YEAR = 1970, 9998  # PostgreSQL, numpy and Python all know their every second

Points = tuple[NDArray[np.float64], NDArray[np.float64]]  # latitudes and longitudes in degrees


@dataclass(frozen=True)
class SimulationSettings:
    """What to simulate; raises ValueError where that is impossible."""

    n_shoppers: int = 50
    max_purchases: int = 5
    n_stores: int = 5
    year: int = 2025
    seed: int = 42
    stores_per_product: int = 1
    box: BoundingBox = WHOLE_EARTH

    def __post_init__(self) -> None:
        for option in ("n_shoppers", "max_purchases", "n_stores", "stores_per_product"):
            if getattr(self, option) < 1:
                name = option.removeprefix("n_").replace("_", "-")
                raise ValueError(f"--{name} must be at least 1, not {getattr(self, option)}.")
        if self.stores_per_product > self.n_stores:
            raise ValueError(
                f"--stores-per-product {self.stores_per_product} needs as many stores, "
                f"and there are {self.n_stores}; raise --stores or lower it."
            )
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise ValueError(f"--year must be from {FIRST_YEAR} to {LAST_YEAR}, not {self.year}.")
        if self.seed < 0:
            raise ValueError(f"--seed must be 0 or more, not {self.seed}.")


@dataclass(frozen=True)
class Catalogue:
    """What the simulation knows of the active products: each field is (n_products,)."""

    product_id: NDArray[np.int64]
    gender: NDArray[np.int64]  # codes
    category: NDArray[np.int64]  # codes
    base: NDArray[np.int64]
    has_real_base: NDArray[np.bool_]
    counted: NDArray[np.int64]
    has_real_stock: NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """The outcome; `stocked_in` holds store indices, a row per product without real stock."""

    stores_at: Points  # each (n_stores,)
    stocked_in: NDArray[np.int64]  # (n_products without real stock, stores_per_product)
    base: NDArray[np.int64]  # (n_products,), real ones kept
    trendiness: NDArray[np.float64]  # (n_shoppers,)
    shoppers_at: Points  # each (n_shoppers,)
    year: Year


def simulate_world(
    settings: SimulationSettings,
    catalogue: Catalogue,
    *,
    compatible: Mapping[int, Sequence[int]],
    on_progress: Callable[[int, int], None] | None = None,
) -> World:
    """Simulate everything, each part from a random stream of its own.

    So another number of stores, for example, moves no shopper. `compatible` lists the gender codes
    that a shopper of each code may buy; `on_progress` gets (purchases done, purchases planned).
    """
    for_stores, for_stock, for_base, for_shoppers, for_places, for_year = (
        np.random.default_rng(child) for child in np.random.SeedSequence(settings.seed).spawn(6)
    )
    base = for_base.integers(HIGHEST_BASE_POPULARITY + 1, size=len(catalogue.base))
    base = np.where(catalogue.has_real_base, catalogue.base, base)
    trendiness = for_shoppers.random(settings.n_shoppers)
    n_wanted = for_shoppers.integers(1, settings.max_purchases + 1, size=settings.n_shoppers)
    year = simulate_year(
        for_year,
        schedule=draw_schedule(for_year, n_wanted, settings.year),
        trendiness=trendiness,
        gender=catalogue.gender,
        popularity=base + catalogue.counted,
        compatible=compatible,
        on_progress=on_progress,
    )
    return World(
        stores_at=random_points(for_stores, settings.n_stores, settings.box),
        stocked_in=spread_over_stores(
            for_stock,
            catalogue.category[~catalogue.has_real_stock],
            settings.n_stores,
            settings.stores_per_product,
        ),
        base=base,
        trendiness=trendiness,
        shoppers_at=random_points(for_places, settings.n_shoppers, settings.box),
        year=year,
    )


def mean_popularity_by_third(world: World) -> tuple[float | None, ...]:
    """Mean NormPop of what shoppers with t in [0, 1/3), [1/3, 2/3) and [2/3, 1] bought.

    In [0, 1], taken just before each purchase counted, first purchases left out; None for a third
    in which nobody bought twice.
    """
    later = ~world.year.is_first
    third = np.minimum((world.trendiness[world.year.shopper[later]] * 3).astype(int), 2)
    popularity = world.year.normalized_popularity[later]
    groups = (popularity[third == number] for number in range(3))
    return tuple(float(group.mean()) if len(group) else None for group in groups)
