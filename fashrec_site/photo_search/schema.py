"""GraphQL of the search by photo: its state, and the products that look like the photo."""

import uuid
from datetime import datetime
from typing import Annotated, Self

import strawberry
from django.utils import timezone
from strawberry import relay

from catalog.graphql_connections import After, First, RankedPage
from catalog.graphql_cost import IMAGE, SEARCH, cost
from catalog.graphql_errors import ErrorCode, coded_error, not_found
from catalog.models import Product as ProductRow
from catalog.product_filter import ProductFilter
from catalog.types import Product
from embeddings.neighbours import Neighbour
from embeddings.photo_search import models
from embeddings.photo_search.nearest import nearest_products
from embeddings.photo_search.services import find_search, is_comparable
from fashrec_site.photo_search.askers import askers_of

PhotoSearchStatus = strawberry.enum(
    models.PhotoSearch.State, name="PhotoSearchStatus", description="How far a search is."
)


@strawberry.type
class PhotoMatchEdge:
    """A product that looks like the photo, in its place."""

    cursor: str = strawberry.field(description="For `after`.")
    node: Product = strawberry.field(description="The product.")
    similarity: float = strawberry.field(description="The cosine of both vectors: 1 is the same.")


@strawberry.type
class PhotoMatchConnection:
    """Products that look like a photo, the most similar first; at most 100 in all."""

    page_info: relay.PageInfo = strawberry.field(description="Whether and where it goes on.")
    edges: list[PhotoMatchEdge] = strawberry.field(
        description="The products of this page.", metadata=cost(0)
    )

    @classmethod
    def of(cls, page: RankedPage, neighbours: list[Neighbour]) -> Self:
        """The page of `neighbours` that was asked for."""
        ids = [n.product_id for n in neighbours]
        rows = ProductRow.objects.active().with_details().in_bulk(ids)
        found = [n for n in neighbours if n.product_id in rows]  # not gone since they were ranked
        edges = [
            PhotoMatchEdge(cursor=cursor, node=rows[n.product_id], similarity=n.cosine_similarity)
            for cursor, n in page.ranked(found)
        ]
        return cls(page_info=page.info(found), edges=edges)


@strawberry.type
class PhotoSearchError:
    """Why a photo was not searched for."""

    code: str = strawberry.field(description="One of the documented codes.")
    message: str = strawberry.field(description="What was wrong, and what to do.")


@strawberry.type
class PhotoSearch:
    """A photo that was sent to /search/photo; it and its results are gone an hour later."""

    row: strawberry.Private[models.PhotoSearch]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """By which it is asked for."""
        return strawberry.ID(str(self.row.pk))

    @strawberry.field
    def status(self) -> PhotoSearchStatus:
        """How far it is: results are there when it is READY."""
        return self.row.state

    @strawberry.field(metadata=cost(0))
    def error(self) -> PhotoSearchError | None:
        """Why it FAILED; null where it did not."""
        if not self.row.error_code:
            return None
        return PhotoSearchError(code=self.row.error_code, message=self.row.error)

    @strawberry.field
    def expires_at(self) -> datetime:
        """When photo and results are deleted."""
        return self.row.expires_at

    @strawberry.field(metadata=cost(SEARCH))
    def products(
        self,
        filter: Annotated[
            ProductFilter | None, strawberry.argument(description="Which; all where not said.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> PhotoMatchConnection | None:
        """Products that look most like the photo; null until the search is READY."""
        page = RankedPage.of(first, after)
        if self.row.state != models.PhotoSearch.State.READY:
            return None
        if not is_comparable(self.row):
            message = "The shop's photos were embedded anew since: send the photo again."
            raise coded_error(ErrorCode.UNAVAILABLE, message)
        return PhotoMatchConnection.of(page, _neighbours(self.row, filter, page.n_needed))


@strawberry.type
class PhotoSearchQuery:
    """Search by photo."""

    @strawberry.field(metadata=cost(IMAGE))
    def photo_search(
        self,
        info: strawberry.Info,
        id: Annotated[
            strawberry.ID, strawberry.argument(description="As POST /search/photo gave it.")
        ],
    ) -> PhotoSearch:
        """A search by photo of whoever asks: nobody sees another's."""
        askers = askers_of(info.context.request)
        row = _key(id) and find_search(search_id=_key(id), askers=askers, now=timezone.now())
        if row is None:
            raise not_found("No such search: it is another's, or its hour is over.")
        return PhotoSearch(row=row)


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _neighbours(
    search: models.PhotoSearch, chosen: ProductFilter | None, n: int
) -> list[Neighbour]:
    """The nearest products that pass the filter, which `products` of the catalogue has too."""
    if chosen is None:
        return nearest_products(vector=search.vector, backbone=search.backbone, k=n)
    return nearest_products(
        vector=search.vector,
        backbone=search.backbone,
        k=n,
        products=chosen.apply(ProductRow.objects.active()),
        genders=[gender.value for gender in chosen.gender or ()],
    )
