"""The arrays of batch ranking, read from the database."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet

from catalog.models import CategoryPair, Product
from embeddings.models import Backbone
from embeddings.serving import served_vectors
from recommender.batch.arrays import GENDERS, ProductArrays, normalized_popularity

GENDER_CODE = {gender.value: code for code, gender in enumerate(GENDERS)}


@dataclass(frozen=True)
class LoadedProducts:
    """All products, on sale or not, and what else is known of them; same order."""

    arrays: ProductArrays
    item_ids: np.ndarray  # (n,) str
    is_active: np.ndarray  # (n,) bool
    category_ids: np.ndarray  # (c,) int64, keys of the rows of arrays.category_similarity


def load_products(backbone: Backbone | None) -> LoadedProducts:
    """The whole catalogue with one backbone's vectors. Cost: three queries.

    Products that are no longer on sale have their vector, too: they may have been bought. Without
    a backbone there are no vectors, and so no candidates.
    """
    fields = ("pk", "item_id", "is_active", "gender", "category_id", "popularity__popularity")
    rows = list(Product.objects.order_by("pk").values_list(*fields))
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    ids, is_active = np.array(columns[0], np.int64), np.array(columns[2], bool)
    category_ids, similarity = category_matrix()
    vectors, has_vector = _vectors(backbone, ids)
    arrays = ProductArrays(
        product_ids=ids,
        vectors=vectors,
        is_candidate=is_active & has_vector,
        genders=np.array([GENDER_CODE[gender] for gender in columns[3]], np.int8),
        categories=np.searchsorted(category_ids, np.array(columns[4], np.int64)),
        normalized_popularity=normalized_popularity(np.array(columns[5], np.int64), is_active),
        category_similarity=similarity,
    )
    return LoadedProducts(arrays, np.array(columns[1], dtype=object), is_active, category_ids)


def category_matrix() -> tuple[np.ndarray, np.ndarray]:
    """Category keys (c,), ascending, and CatSim between them (c, c), from its one definition."""
    pairs = list(CategoryPair.objects.order_by("a", "b").values_list("a", "b", "similarity"))
    ids = np.unique(np.array([a for a, _, _ in pairs], dtype=np.int64))
    values = np.array([similarity for _, _, similarity in pairs], dtype=np.float64)
    return ids, values.reshape(len(ids), len(ids))


def integer_rows(rows: QuerySet, n_columns: int) -> np.ndarray:
    """(m, n_columns) int64 of a values_list of integers, never all rows as tuples at once."""

    def numbers() -> Iterator[int]:
        for row in rows.iterator(chunk_size=20_000):
            yield from row

    return np.fromiter(numbers(), dtype=np.int64).reshape(-1, n_columns)


def _vectors(backbone: Backbone | None, product_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, dimension) float32, zeros where there is none, and (n,) bool whether there is one."""
    if backbone is None:
        return np.zeros((len(product_ids), 1), np.float32), np.zeros(len(product_ids), bool)
    found_ids, found = served_vectors(backbone, with_inactive=True)
    has_vector = np.isin(product_ids, found_ids)
    vectors = np.zeros((len(product_ids), backbone.dimension), dtype=np.float32)
    vectors[has_vector] = found[np.isin(found_ids, product_ids)]
    return vectors, has_vector
