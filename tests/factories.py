"""Factories that make the smallest valid row of each model."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO

import factory
from django.core.files.base import ContentFile
from django.utils import timezone
from factory.django import DjangoModelFactory
from PIL import Image

from catalog.models import (
    Category,
    CategoryGroup,
    Gender,
    Product,
    ProductImage,
    Stock,
    Store,
)
from embeddings.models import Backbone, Embedding, PhotoSearch, ProductVector
from embeddings.querysets import MaskMethod, mask_fingerprint
from shoppers.models import Purchase, Shopper


def photo_bytes(
    color: tuple[int, int, int] = (200, 40, 60),
    size: tuple[int, int] = (12, 16),
    image_format: str = "PNG",
) -> bytes:
    """An encoded photo of one colour; size is (width, height) in pixels."""
    buffer = BytesIO()
    Image.new("RGB", size, color).save(buffer, image_format)
    return buffer.getvalue()


class CategoryGroupFactory(DjangoModelFactory):
    class Meta:
        model = CategoryGroup
        django_get_or_create = ("name",)

    name = factory.Sequence(lambda n: f"Group {n}")


class CategoryFactory(DjangoModelFactory):
    class Meta:
        model = Category
        django_get_or_create = ("name",)

    name = factory.Sequence(lambda n: f"Category {n}")
    group = factory.SubFactory(CategoryGroupFactory)


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = Product

    item_id = factory.Sequence(lambda n: f"item-{n:06d}")
    gender = Gender.UNISEX
    category = factory.SubFactory(CategoryFactory)


class ProductImageFactory(DjangoModelFactory):
    """A stored photo; `color` draws it, `segmentation=bytes` attaches a map.

    Photos differ from each other by default, as their hashes do.
    """

    class Meta:
        model = ProductImage

    class Params:
        color = factory.Sequence(lambda n: (n % 256, n // 256 % 256, 90))
        content = factory.LazyAttribute(lambda o: photo_bytes(o.color))
        segmentation = None

    product = factory.SubFactory(ProductFactory)
    view = "front"
    image = factory.LazyAttribute(lambda o: ContentFile(o.content, name="photo.png"))
    sha256 = factory.LazyAttribute(lambda o: sha256(o.content).hexdigest())
    segmentation_map = factory.LazyAttribute(
        lambda o: ContentFile(o.segmentation, name="map.png") if o.segmentation else ""
    )
    segmentation_sha256 = factory.LazyAttribute(
        lambda o: sha256(o.segmentation).hexdigest() if o.segmentation else ""
    )


class StoreFactory(DjangoModelFactory):
    class Meta:
        model = Store

    name = factory.Sequence(lambda n: f"Store {n}")
    latitude = 48.2
    longitude = 16.4


class StockFactory(DjangoModelFactory):
    class Meta:
        model = Stock

    product = factory.SubFactory(ProductFactory)
    store = factory.SubFactory(StoreFactory)
    quantity = 1


class ShopperFactory(DjangoModelFactory):
    class Meta:
        model = Shopper

    external_id = factory.Sequence(lambda n: f"shopper-{n}")


class PurchaseFactory(DjangoModelFactory):
    """A purchase; each next one is a minute later."""

    class Meta:
        model = Purchase

    shopper = factory.SubFactory(ShopperFactory)
    product = factory.SubFactory(ProductFactory)
    purchased_at = factory.Sequence(
        lambda n: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
    )


class BackboneFactory(DjangoModelFactory):
    """A backbone of three dimensions that no code can run; its vectors are placed by hand."""

    class Meta:
        model = Backbone

    name = factory.Sequence(lambda n: f"backbone-{n}")
    dimension = 3
    weights_sha256 = factory.LazyAttribute(lambda o: sha256(o.name.encode()).hexdigest())


class EmbeddingFactory(DjangoModelFactory):
    """A current embedding of its photo, by the mask that the photo has."""

    class Meta:
        model = Embedding

    image = factory.SubFactory(ProductImageFactory)
    backbone = factory.SubFactory(BackboneFactory)
    mask_method = factory.LazyAttribute(
        lambda o: MaskMethod.SEGMENTATION_MAP if o.image.segmentation_map else MaskMethod.NONE
    )
    state = Embedding.State.READY
    vector = [1.0, 0.0, 0.0]
    image_sha256 = factory.LazyAttribute(lambda o: o.image.sha256)
    mask_fingerprint = factory.LazyAttribute(
        lambda o: mask_fingerprint(o.mask_method, o.image.segmentation_sha256)
    )
    weights_sha256 = factory.LazyAttribute(lambda o: o.backbone.weights_sha256)


class ProductVectorFactory(DjangoModelFactory):
    """The vector that a product is compared by, with the photo and embedding that it is of."""

    class Meta:
        model = ProductVector

    product = factory.SubFactory(ProductFactory)
    backbone = factory.SubFactory(BackboneFactory)
    vector = [1.0, 0.0, 0.0]
    embedding = factory.LazyAttribute(
        lambda o: EmbeddingFactory(
            image=ProductImageFactory(product=o.product), backbone=o.backbone, vector=o.vector
        )
    )
    gender = factory.LazyAttribute(lambda o: o.product.gender)
    category = factory.LazyAttribute(lambda o: o.product.category)
    is_active = factory.LazyAttribute(lambda o: o.product.is_active)


class PhotoSearchFactory(DjangoModelFactory):
    """A stranger's search that is READY and has an hour left; `vector=None` makes one in work."""

    class Meta:
        model = PhotoSearch

    asker = "stranger:nobody"
    photo = factory.Sequence(lambda n: f"{n:032x}")
    backbone = factory.SubFactory(BackboneFactory)
    vector = [1.0, 0.0, 0.0]
    state = factory.LazyAttribute(lambda o: "ready" if o.vector else "waiting")
    weights_sha256 = factory.LazyAttribute(lambda o: o.backbone.weights_sha256)
    created_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyAttribute(lambda o: o.created_at + timedelta(hours=1))
