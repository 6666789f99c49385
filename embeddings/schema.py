"""GraphQL queries over embeddings: what looks alike."""

import enum
from typing import Annotated

import strawberry
from strawberry import relay

from catalog.graphql_connections import After, First, RankedPage
from catalog.graphql_cost import SEARCH, cost
from catalog.graphql_errors import not_found
from catalog.models import Product as ProductRow
from catalog.schema import ItemId
from catalog.types import Product
from embeddings.neighbours import Neighbour, similar_products
from embeddings.preference import best_backbone_with_vectors


@strawberry.enum
class Metric(enum.Enum):
    """How two vectors are compared; on unit vectors both rank alike."""

    COSINE = strawberry.enum_value("cosine", description="-1 to 1, 1 is the same.")
    EUCLIDEAN = strawberry.enum_value("euclidean", description="0 to 2, 0 is the same.")

    def of(self, neighbour: Neighbour) -> float:
        """The neighbour's value in this metric."""
        is_cosine = self is Metric.COSINE
        return neighbour.cosine_similarity if is_cosine else neighbour.euclidean_distance


@strawberry.type
class SimilarProductEdge:
    """A product that looks alike, in its place."""

    cursor: str = strawberry.field(description="For `after`.")
    node: Product = strawberry.field(description="The product.")
    value: float = strawberry.field(description="In the metric that was asked for.")


@strawberry.type
class SimilarProductConnection:
    """Products that look alike, nearest first; at most 100 in all."""

    page_info: relay.PageInfo = strawberry.field(description="Whether and where it goes on.")
    edges: list[SimilarProductEdge] = strawberry.field(
        description="The products of this page.", metadata=cost(0)
    )


@strawberry.type
class EmbeddingsQuery:
    """Visual similarity."""

    @strawberry.field(metadata=cost(SEARCH))
    def similar_products(
        self,
        item_id: ItemId,
        metric: Annotated[
            Metric, strawberry.argument(description="What `value` is given in.")
        ] = Metric.COSINE,
        first: First = None,
        after: After = None,
    ) -> SimilarProductConnection:
        """Products of compatible gender that look most like this one, nearest first."""
        page = RankedPage.of(first, after)
        product = ProductRow.objects.active().named([item_id]).first()
        if product is None:
            raise not_found("No such product.")
        backbone = best_backbone_with_vectors()
        neighbours = (
            similar_products(product=product, backbone=backbone, k=page.n_needed)
            if backbone
            else []
        )
        return _connection(page, neighbours, metric)


def _connection(
    page: RankedPage, neighbours: list[Neighbour], metric: Metric
) -> SimilarProductConnection:
    rows = ProductRow.objects.active().with_details().in_bulk([n.product_id for n in neighbours])
    found = [n for n in neighbours if n.product_id in rows]  # not gone since they were ranked
    edges = [
        SimilarProductEdge(cursor=cursor, node=rows[n.product_id], value=metric.of(n))
        for cursor, n in page.ranked(found)
    ]
    return SimilarProductConnection(page_info=page.info(found), edges=edges)
