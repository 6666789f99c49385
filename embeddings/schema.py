"""GraphQL queries over embeddings: what looks alike."""

import enum

import strawberry

from catalog.graphql_errors import checked_count, not_found
from catalog.models import Product as ProductRow
from catalog.types import Product
from embeddings.neighbours import similar_products
from embeddings.preference import best_backbone_with_vectors


@strawberry.enum(description="How two vectors are compared; on unit vectors both rank alike.")
class Metric(enum.Enum):
    """Cosine similarity (larger is nearer) or Euclidean distance (smaller is nearer)."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


@strawberry.type
class SimilarProduct:
    """A visual neighbour; `value` is in the metric that was asked for."""

    product: Product
    metric: Metric
    value: float


@strawberry.type
class EmbeddingsQuery:
    """Visual similarity."""

    @strawberry.field
    def similar_products(
        self, item_id: str, k: int = 10, metric: Metric = Metric.COSINE
    ) -> list[SimilarProduct]:
        """Active products of compatible gender that look most like this one, nearest first."""
        checked_count("k", k)
        product = ProductRow.objects.active().filter(item_id=item_id).first()
        if product is None:
            raise not_found("No such product.")
        backbone = best_backbone_with_vectors()
        if backbone is None:
            return []
        neighbours = similar_products(product=product, backbone=backbone, k=k)
        rows = ProductRow.objects.with_details().in_bulk([n.product_id for n in neighbours])
        return [
            SimilarProduct(
                product=rows[n.product_id],
                metric=metric,
                value=n.cosine_similarity if metric is Metric.COSINE else n.euclidean_distance,
            )
            for n in neighbours
            if n.product_id in rows
        ]
