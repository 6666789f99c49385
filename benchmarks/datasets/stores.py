"""Stores in cities, and which of a catalogue's products they have in stock."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_CITIES = 12
STORES_PER_CITY = 5
STOCKED_SHARE = 0.1  # of the products, each in one to MAX_STORES stores
MAX_STORES = 3
SPREAD_DEGREES = 0.05  # of a city's stores around its centre: some 5 km


@dataclass(frozen=True)
class StoreNetwork:
    """Stores by position (key = position + 1) and their stock."""

    cities: NDArray[np.float64]  # (n_cities, 2) latitude and longitude in degrees
    places: NDArray[np.float64]  # (n_stores, 2)
    stocked_products: NDArray[np.int64]  # (n_stock,) positions
    stocked_stores: NDArray[np.int64]  # (n_stock,)

    def products_in(self, stores: NDArray[np.integer], n_products: int) -> NDArray[np.bool_]:
        """(n_products,) whether any of `stores` has it."""
        available = np.zeros(n_products, dtype=bool)
        available[self.stocked_products[np.isin(self.stocked_stores, stores)]] = True
        return available


def store_network(n_products: int) -> StoreNetwork:
    """The same stores for every size; the stock follows from the number of products."""
    rng = np.random.default_rng(7)
    cities = np.column_stack([rng.uniform(-45, 60, N_CITIES), rng.uniform(-170, 170, N_CITIES)])
    centres = np.repeat(cities, STORES_PER_CITY, axis=0)
    places = centres + SPREAD_DEGREES * rng.standard_normal(centres.shape)
    rng = np.random.default_rng([7, n_products])
    n_stocked = max(1, int(STOCKED_SHARE * n_products))
    stocked = rng.choice(n_products, n_stocked, replace=False)
    products = np.repeat(stocked, MAX_STORES)
    stores = rng.integers(0, len(places), len(products))
    kept = rng.random(len(products)) < 2 / MAX_STORES  # two stores on average
    kept[::MAX_STORES] = True  # at least one each
    pairs = np.unique(np.column_stack([products[kept], stores[kept]]), axis=0)
    return StoreNetwork(cities, places, pairs[:, 0], pairs[:, 1])
