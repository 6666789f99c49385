"""Everything that an evaluation reads of the database, loaded once into arrays."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import F
from scipy import sparse

from catalog.models import Product, ProductImage
from embeddings.models import Backbone, MaskMethod
from embeddings.services import primary_vectors
from recommender.batch import (
    ProductArrays,
    PurchaseArrays,
    ShopperArrays,
    normalized_popularity,
)
from recommender.batch.loading import GENDER_CODE, category_matrix
from shoppers.models import Purchase, Shopper


@dataclass(frozen=True)
class PurchaseHistory:
    """All purchases in chronological order, by positions of shoppers and products."""

    shoppers: np.ndarray  # (m,) int64
    products: np.ndarray  # (m,) int64
    times: np.ndarray  # (m,) float64, seconds since 1970


@dataclass(frozen=True)
class Catalogue:
    """All products, on sale or not, in ascending order of their keys, and who bought them."""

    product_ids: np.ndarray  # (n,) int64
    is_active: np.ndarray  # (n,) bool
    genders: np.ndarray  # (n,) int8, codes
    categories: np.ndarray  # (n,) int64, rows of category_similarity
    category_similarity: np.ndarray  # (n_categories, n_categories) float64
    base_popularity: np.ndarray  # (n,) int64
    popularity: np.ndarray  # (n,) int64, base and counted purchases of today
    shopper_ids: np.ndarray  # (s,) int64
    shopper_genders: np.ndarray  # (s,) int8, codes
    trendiness: np.ndarray  # (s,) float64
    history: PurchaseHistory
    has_segmentation_maps: bool

    @property
    def has_several_genders(self) -> bool:
        """Whether a figure about gender can say anything."""
        return len(np.unique(self.genders[self.is_active])) > 1

    def shopper_arrays(self) -> ShopperArrays:
        """All shoppers who bought something, with everything that they bought."""
        return ShopperArrays(
            genders=self.shopper_genders,
            trendiness=self.trendiness,
            purchased=self.purchased_before(np.inf),
        )

    def purchased_before(self, time: float) -> sparse.csr_array:
        """(s, n) bool: who had bought what strictly before `time`."""
        earlier = self.history.times < time
        rows, columns = self.history.shoppers[earlier], self.history.products[earlier]
        shape = (len(self.shopper_ids), len(self.product_ids))
        return sparse.csr_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=shape)

    def product_arrays(self, vectors: np.ndarray, has_vector: np.ndarray) -> ProductArrays:
        """The products as `recommender.batch` takes them, with one backbone's vectors."""
        return ProductArrays(
            product_ids=self.product_ids,
            vectors=vectors,
            is_candidate=self.is_active & has_vector,
            genders=self.genders,
            categories=self.categories,
            normalized_popularity=normalized_popularity(self.popularity, self.is_active),
            category_similarity=self.category_similarity,
        )

    def purchases_with_vector(self, has_vector: np.ndarray) -> PurchaseArrays:
        """Each shopper's products, each once, that have a vector to compare with."""
        pairs = self._distinct_purchases()
        pairs = pairs[has_vector[pairs[:, 1]]]
        return PurchaseArrays(shoppers=pairs[:, 0], products=pairs[:, 1])

    @property
    def n_distinct_purchases(self) -> int:
        """How many products each shopper bought, over all shoppers."""
        return len(self._distinct_purchases())

    def _distinct_purchases(self) -> np.ndarray:
        """(p, 2) shopper and product of everything bought, ordered, each once."""
        return np.unique(np.stack([self.history.shoppers, self.history.products], axis=1), axis=0)


def load_catalogue() -> Catalogue:
    """The whole catalogue, its shoppers and purchases. Cost: five queries."""
    rows = np.array(
        [
            (pk, active, GENDER_CODE[gender], category, base, popularity)
            for pk, active, gender, category, base, popularity in Product.objects.order_by(
                "pk"
            ).values_list(
                "pk",
                "is_active",
                "gender",
                "category_id",
                "popularity__base",
                "popularity__popularity",
            )
        ],
        dtype=np.int64,
    ).reshape(-1, 6)
    category_ids, similarity = category_matrix()
    shoppers = list(
        Shopper.objects.filter(purchases__isnull=False)
        .distinct()
        .order_by("pk")
        .values_list("pk", "gender", "trendiness")
    )
    shopper_ids = np.array([pk for pk, _, _ in shoppers], dtype=np.int64)
    return Catalogue(
        product_ids=rows[:, 0],
        is_active=rows[:, 1].astype(bool),
        genders=rows[:, 2].astype(np.int8),
        categories=np.searchsorted(category_ids, rows[:, 3]),
        category_similarity=similarity,
        base_popularity=rows[:, 4],
        popularity=rows[:, 5],
        shopper_ids=shopper_ids,
        shopper_genders=np.array([GENDER_CODE[gender] for _, gender, _ in shoppers], np.int8),
        trendiness=np.array([trendiness for _, _, trendiness in shoppers], np.float64),
        history=_purchase_history(shopper_ids, rows[:, 0]),
        has_segmentation_maps=ProductImage.objects.active().exclude(segmentation_map="").exists(),
    )


def load_vectors(
    catalogue: Catalogue, backbone: Backbone, mask_method: MaskMethod | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """One backbone's vectors, laid out as the catalogue's products.

    Args:
        catalogue: whose order of products is followed.
        backbone: whose vectors.
        mask_method: None for those that are served, else those of that mask method.

    Returns:
        vectors (n, dimension) float32, L2-normalised, zeros where there is none; and (n,) bool,
        whether a product has one.
    """
    product_ids, found = primary_vectors(backbone=backbone, mask_method=mask_method)
    known = np.isin(product_ids, catalogue.product_ids)  # not imported since the catalogue was read
    places = np.searchsorted(catalogue.product_ids, product_ids[known])
    vectors = np.zeros((len(catalogue.product_ids), backbone.dimension), dtype=np.float32)
    vectors[places] = found[known]
    has_vector = np.zeros(len(catalogue.product_ids), dtype=bool)
    has_vector[places] = True
    return vectors, has_vector


def _purchase_history(shopper_ids: np.ndarray, product_ids: np.ndarray) -> PurchaseHistory:
    rows: list[tuple[int, int, datetime]] = list(
        Purchase.objects.order_by(F("purchased_at"), "pk").values_list(
            "shopper_id", "product_id", "purchased_at"
        )
    )
    return PurchaseHistory(
        shoppers=np.searchsorted(shopper_ids, np.array([row[0] for row in rows], np.int64)),
        products=np.searchsorted(product_ids, np.array([row[1] for row in rows], np.int64)),
        times=np.array([row[2].timestamp() for row in rows], dtype=np.float64),
    )
