"""A catalogue of a few hundred random products, as the benchmark's arrays."""

import numpy as np

from benchmarks.datasets.catalogue_data import GENDERS, CatalogueData
from benchmarks.datasets.stores import store_network
from benchmarks.protocol.oracle import World


def small_world(n: int = 300, dimension: int = 12, seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    data = CatalogueData(
        name="small",
        label="random",
        fingerprint=f"{n}-{dimension}-{seed}",
        vectors=vectors.astype(np.float16),
        genders=rng.integers(0, len(GENDERS), n).astype(np.int8),
        categories=rng.integers(0, 4, n).astype(np.int16),
        category_names=["A", "B", "C", "D"],
        category_groups=["G", "G", "H", "H"],
        prices_cents=rng.integers(100, 10_000, n, dtype=np.int32),
        bought=np.arange(n),
    )
    similarity = np.full((4, 4), 0.1) + 0.9 * np.eye(4)
    return World(data, rng.integers(0, 30, n, dtype=np.int32), similarity, store_network(n))
