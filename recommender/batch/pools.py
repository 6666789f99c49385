"""The candidates of shoppers of one gender, laid out for short lists."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommender.batch.arrays import (
    ProductArrays,
    PurchaseArrays,
    ShopperArrays,
    compatible_genders,
)
from recommender.ranking import RankingSettings


@dataclass(frozen=True)
class Pool:
    """`m` candidates in ascending order of their keys; `rising` and `falling` hold their places."""

    products: np.ndarray  # (m,) positions in the catalogue
    features: np.ndarray  # (m, d [+ n_categories]) float32, see `weighted_features`
    popularity: np.ndarray  # (m,) float64, NormPop
    rising: np.ndarray  # (m,) places by popularity, then key
    rising_popularity: np.ndarray  # (m,) theirs
    falling: np.ndarray  # (m,) places by popularity, highest first, then key


def pools(
    products: ProductArrays,
    shoppers: ShopperArrays,
    purchases: PurchaseArrays,
    settings: RankingSettings,
    vectors: np.ndarray,
) -> Iterator[tuple[Pool, np.ndarray]]:
    """Each pool with the rows of the purchases that choose from it, ordered by bought product.

    `vectors` (n, d) are the products' own, or shorter ones.
    """
    order = np.argsort(purchases.products, kind="stable")
    if not settings.filter_gender:
        yield _pool(products, products.is_candidate, settings, vectors), order
        return
    genders = shoppers.genders[purchases.shoppers[order]]
    compatible = compatible_genders()
    for gender in np.unique(genders):
        candidates = products.is_candidate & compatible[gender][products.genders]
        yield _pool(products, candidates, settings, vectors), order[genders == gender]


def weighted_features(
    products: ProductArrays, positions: np.ndarray, settings: RankingSettings, vectors: np.ndarray
) -> np.ndarray:
    """(a, d [+ n_categories]) float32 of bought products.

    Its product with a pool's features is w_v cos + w_c CatSim: the category term costs some more
    columns of the matrix product instead of a pass over all pairs.
    """
    visual = np.float32(settings.weight_visual) * vectors[positions]
    if not settings.weight_category:
        return visual
    between = products.category_similarity[products.categories[positions]]
    return np.hstack([visual, (settings.weight_category * between).astype(np.float32)])


def _pool(
    products: ProductArrays,
    candidates: np.ndarray,
    settings: RankingSettings,
    vectors: np.ndarray,
) -> Pool:
    positions = np.flatnonzero(candidates)
    popularity = products.normalized_popularity[positions]
    rising = np.argsort(popularity, kind="stable")
    return Pool(
        products=positions,
        features=_features(products, positions, settings, vectors),
        popularity=popularity,
        rising=rising,
        rising_popularity=popularity[rising],
        falling=np.argsort(-popularity, kind="stable"),
    )


def _features(
    products: ProductArrays, positions: np.ndarray, settings: RankingSettings, vectors: np.ndarray
) -> np.ndarray:
    if not settings.weight_category:
        return vectors[positions]
    categories = np.eye(len(products.category_similarity), dtype=np.float32)
    return np.hstack([vectors[positions], categories[products.categories[positions]]])
