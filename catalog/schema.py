"""GraphQL queries of the catalogue: open to everybody, active products only."""

from collections.abc import Iterable
from typing import Annotated

import strawberry
import strawberry_django
from strawberry import relay

from catalog import models
from catalog.graphql_connections import RowConnection
from catalog.graphql_cost import SEARCH, cost
from catalog.graphql_errors import bad_user_input
from catalog.graphql_nodes import resolve_node
from catalog.product_filter import ProductFilter, ProductOrder
from catalog.types import Category, LatLng, Product, ProductColor, Store

MAX_COLORS = 100
ItemId = Annotated[str, strawberry.argument(description="The shop's own id of the product.")]


@strawberry.type
class CatalogQuery:
    """What the shop sells, and where."""

    @strawberry.field
    def node(
        self,
        info: strawberry.Info,
        id: Annotated[relay.GlobalID, strawberry.argument(description="A global id.")],
    ) -> relay.Node | None:
        """The thing with this global id; null where there is none (any more)."""
        return resolve_node(info, id)

    @strawberry_django.field
    def product(self, item_id: ItemId) -> Product | None:
        """The product with this item id, or into which it was merged; null if none is on sale."""
        return models.Product.objects.named([item_id])

    @strawberry_django.connection(RowConnection[Product], metadata=cost(SEARCH))
    def products(
        self,
        filter: Annotated[
            ProductFilter | None, strawberry.argument(description="Which; all where not said.")
        ] = None,
        order: Annotated[
            ProductOrder, strawberry.argument(description="In which order.")
        ] = ProductOrder.RELEVANCE,
    ) -> Iterable[Product]:
        """Products on sale."""
        found = models.Product.objects.all()
        return order.apply(filter.apply(found) if filter else found)

    @strawberry_django.connection(RowConnection[Category])
    def categories(self) -> Iterable[Category]:
        """All categories, by name."""
        return models.Category.objects.order_by("name")

    @strawberry.field(metadata=cost(SEARCH, items=MAX_COLORS))
    def colors(self) -> list[ProductColor]:
        """The hundred most frequent colours of products on sale."""
        rows = models.Product.objects.active().colors()[:MAX_COLORS]
        return [ProductColor(**row) for row in rows]

    @strawberry_django.connection(RowConnection[Store])
    def stores(
        self,
        near: Annotated[
            LatLng | None, strawberry.argument(description="Nearest to this point first.")
        ] = None,
        within_km: Annotated[
            float | None, strawberry.argument(description="At most this far from `near`.")
        ] = None,
        stocking: Annotated[
            str | None, strawberry.argument(description="Those that have this item id in stock.")
        ] = None,
    ) -> Iterable[Store]:
        """Stores, by name or by distance."""
        found = models.Store.objects.order_by("name")
        if stocking is not None:
            found = found.stocking(stocking)
        if near is None:
            if within_km is not None:
                raise bad_user_input("`withinKm` needs `near`.")
            return found
        place = near.place()
        try:
            found = found if within_km is None else found.within_km(place, within_km)
        except ValueError as error:
            raise bad_user_input(str(error)) from error
        return found.by_distance(place)
