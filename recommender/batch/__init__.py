"""The relevance of many purchases against the whole catalogue, in numpy, block by block.

The formula of `recommender.relevance`, without the database: for nightly lists and evaluation.
Shopping nouns keep their names; every array is addressed by a product's or a shopper's position.
"""

from recommender.batch.arrays import (
    GENDERS,
    ProductArrays,
    PurchaseArrays,
    ShopperArrays,
    TopK,
    compatible_genders,
    normalized_popularity,
)
from recommender.batch.exact import best_columns, blocks, exact_top_k, popularity_match
from recommender.batch.top import top_k

__all__ = [
    "GENDERS",
    "ProductArrays",
    "PurchaseArrays",
    "ShopperArrays",
    "TopK",
    "best_columns",
    "blocks",
    "compatible_genders",
    "exact_top_k",
    "normalized_popularity",
    "popularity_match",
    "top_k",
]
