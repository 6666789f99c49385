"""GraphQL types of the catalogue."""

import enum
from typing import Annotated, Self

import strawberry
import strawberry_django
from django.conf import settings
from django.db.models import QuerySet
from strawberry import auto, relay

from catalog import models
from catalog.graphql_cost import cost
from catalog.graphql_errors import bad_user_input
from catalog.places import Place
from catalog.thumbnails import thumbnail_url

MAX_PHOTOS = 5  # of a product, as the price of asking for them assumes

Gender = strawberry.enum(models.Gender, description="Whom a product is made for.")


@strawberry.enum
class ThumbnailWidth(enum.Enum):
    """How wide a copy of a photo is, in pixels."""

    W160 = 160
    W320 = 320
    W640 = 640


@strawberry.input
class LatLng:
    """A point on Earth, in degrees."""

    latitude: float = strawberry.field(description="From -90 (south) to 90 (north).")
    longitude: float = strawberry.field(description="From -180 (west) to 180 (east).")

    def place(self) -> Place:
        """The checked point.

        Raises:
            GraphQLError: BAD_USER_INPUT for one that is not on Earth.
        """
        try:
            return Place(self.latitude, self.longitude)
        except ValueError as error:
            raise bad_user_input(str(error)) from error


@strawberry_django.type(models.CategoryGroup)
class CategoryGroup(relay.Node):
    """Categories that belong together, such as tops."""

    name: auto = strawberry_django.field(description="Its unique name, such as Tops.")


@strawberry_django.type(models.Category)
class Category(relay.Node):
    """A kind of garment."""

    name: auto = strawberry_django.field(description="Its unique name, such as Dresses.")
    group: CategoryGroup = strawberry_django.field(description="The group that it belongs to.")


@strawberry_django.type(models.ProductImage)
class ProductImage:
    """A photo of a product from one view."""

    view: auto = strawberry_django.field(description="front, full, side, back, or any other name.")

    @strawberry_django.field(only=["image"])
    def url(self: models.ProductImage) -> str:
        """Where the photo's file is served; the file behind a URL never changes."""
        return self.image.url

    @strawberry_django.field(only=["image"])
    def thumbnail_url(
        self: models.ProductImage,
        width: Annotated[
            ThumbnailWidth, strawberry.argument(description="The nearest to how it is shown.")
        ] = ThumbnailWidth.W320,
    ) -> str:
        """Where a WEBP copy of that width is served; a narrower photo's is as narrow."""
        return thumbnail_url(self.image, width.value)


@strawberry_django.type(models.Store)
class Store(relay.Node):
    """A shop with its place on Earth, in degrees."""

    name: auto = strawberry_django.field(description="Its unique name.")
    latitude: auto = strawberry_django.field(description="Degrees, from -90 to 90.")
    longitude: auto = strawberry_django.field(description="Degrees, from -180 to 180.")

    @strawberry.field
    def distance_km(self: models.Store) -> float | None:
        """From the point that `stores(near:)` was asked with; null where it was not."""
        return getattr(self, "distance_km", None)


@strawberry_django.type(models.Product)
class Product(relay.Node):
    """An article on sale: one design in one colour."""

    item_id: auto = strawberry_django.field(description="The shop's own id of the article.")
    title: auto = strawberry_django.field(description="Its name; may be empty.")
    gender: Gender = strawberry_django.field(description="Whom it is made for.")
    category: Category = strawberry_django.field(description="What kind of garment it is.")
    color: auto = strawberry_django.field(description="The colour's name; may be empty.")
    season: auto = strawberry_django.field(description="Such as Summer; may be empty.")
    year: auto = strawberry_django.field(description="The year of its collection.")
    usage: auto = strawberry_django.field(description="Such as Casual; may be empty.")
    price: auto = strawberry_django.field(description="In the shop's currency.")

    @strawberry.field
    def currency(self) -> str:
        """Of the price: the shop's one, as an ISO 4217 code such as EUR."""
        return settings.FASHREC_CURRENCY

    images: list[ProductImage] = strawberry_django.field(
        description="All photos, the primary one first.", metadata=cost(MAX_PHOTOS)
    )

    @strawberry_django.field(prefetch_related=["images"])
    def primary_image(self: models.Product) -> ProductImage | None:
        """The photo that the product is compared by: front, full, side, back, else the first."""
        return next(iter(self.images.all()), None)  # in the model's order, which is that one

    @classmethod
    def get_queryset(cls, queryset: QuerySet, info: strawberry.Info) -> QuerySet[Self]:
        """Nobody meets a product that is not on sale, by whatever way they come."""
        return queryset.active()


@strawberry.type
class ProductColor:
    """A colour to filter products by."""

    name: str = strawberry.field(description="In lower case.")
    n_products: int = strawberry.field(description="How many products on sale have it.")
