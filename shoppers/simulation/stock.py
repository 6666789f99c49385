"""Which store has which product."""

import numpy as np
from numpy.typing import NDArray


def spread_over_stores(
    rng: np.random.Generator, category: NDArray[np.int64], n_stores: int, stores_per_product: int
) -> NDArray[np.int64]:
    """Store indices, (n_products, stores_per_product), different ones within a row.

    `category` holds each product's category code, (n_products,). Within a category, two stores'
    numbers of products differ by at most 1, and so do their numbers over the whole catalogue:
    shuffled products are dealt out like cards, each category beginning where the last one ended.
    """
    shuffled = rng.permutation(len(category))
    dealt_to = np.empty(len(category), dtype=np.int64)
    dealt_to[shuffled[np.argsort(category[shuffled], kind="stable")]] = np.arange(len(category))
    first_store = dealt_to * stores_per_product  # (n_products,)
    return (first_store[:, None] + np.arange(stores_per_product)) % n_stores
