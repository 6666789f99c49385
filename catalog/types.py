"""GraphQL types of the catalogue."""

import strawberry
import strawberry_django
from strawberry import auto

from catalog import models

Gender = strawberry.enum(models.Gender, description="Whom a product is made for.")


@strawberry_django.type(models.CategoryGroup)
class CategoryGroup:
    """Categories that belong together, such as tops."""

    id: auto
    name: auto


@strawberry_django.type(models.Category)
class Category:
    """A kind of garment."""

    id: auto
    name: auto
    group: CategoryGroup


@strawberry_django.type(models.ProductImage)
class ProductImage:
    """A photo of a product from one view."""

    id: auto
    view: auto

    @strawberry_django.field(only=["image"])
    def url(self: models.ProductImage) -> str:
        """Where the photo's file is served."""
        return self.image.url


@strawberry_django.type(models.Store)
class Store:
    """A shop with its place on Earth, in degrees."""

    id: auto
    name: auto
    latitude: auto
    longitude: auto


@strawberry_django.type(models.Product)
class Product:
    """An article on sale: one design in one colour."""

    id: auto
    item_id: auto
    title: auto
    gender: Gender
    category: Category
    color: auto
    season: auto
    year: auto
    usage: auto
    price: auto
    images: list[ProductImage]

    @strawberry_django.field(prefetch_related=["images"])
    def primary_image(self: models.Product) -> ProductImage | None:
        """The photo that the product is compared by: front, full, side, back, else the first."""
        return next(iter(self.images.all()), None)  # in the model's order, which is that one
