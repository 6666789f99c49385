"""GraphQL queries of the catalogue: open to everybody, active products only."""

import strawberry
import strawberry_django

from catalog import models
from catalog.graphql_errors import bad_user_input, checked_count
from catalog.types import Category, Gender, Product, Store

MAX_OFFSET = 10_000  # a deeper page scans everything before it; filter instead


@strawberry.type
class CatalogQuery:
    """What the shop sells, and where."""

    @strawberry_django.field
    def product(self, item_id: str) -> Product | None:
        """The active product with this item id."""
        return models.Product.objects.active().filter(item_id=item_id).first()

    @strawberry_django.field
    def products(
        self,
        first: int = 20,
        offset: int = 0,
        gender: Gender | None = None,
        category: str | None = None,
    ) -> list[Product]:
        """Active products in the order they were added, at most 100 at a time."""
        checked_count("first", first)
        if not 0 <= offset <= MAX_OFFSET:
            raise bad_user_input(f"offset must be from 0 to {MAX_OFFSET}; got {offset}")
        found = models.Product.objects.active()
        if gender is not None:
            found = found.filter(gender=gender.value)
        if category is not None:
            found = found.filter(category__name=category)
        return found[offset : offset + first]

    @strawberry_django.field
    def categories(self) -> list[Category]:
        """All categories, by name."""
        return models.Category.objects.all()

    @strawberry_django.field
    def stores(self, first: int = 100) -> list[Store]:
        """Stores by name, at most 100."""
        return models.Store.objects.all()[: checked_count("first", first)]
