"""Products as they are shown: with photos, and the nearest store that has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from catalog.models import Product, ProductImage, Store
from catalog.places import Place

PHOTO_FIELDS = ("id", "product_id", "image", "view")
STORE_FIELDS = ("id", "name", "latitude", "longitude")


@dataclass(frozen=True)
class Availability:
    """A store that stocks a product; `distance_km` is None where the origin is unknown."""

    store: Store
    distance_km: float | None


@dataclass(frozen=True)
class ShownProduct:
    """A product with category, group and photos loaded, and where it is in stock."""

    product: Product
    availability: Availability | None


def stores_within_km(origin: Place, radius_km: float) -> list[int]:
    """Keys of the stores at most `radius_km` (great-circle) away from `origin`. One query."""
    return list(Store.objects.within_km(origin, radius_km).values_list("pk", flat=True))


def shown_products(product_ids: Iterable[int], origin: Place | None) -> dict[int, ShownProduct]:
    """The products by key, on sale or not; those that are gone are missing. One statement.

    Without an origin the store is the one with the smallest key.
    """
    products = Product.objects.select_related("category__group").annotate(
        photos=ArraySubquery(_photos()), nearest=Subquery(_nearest_stores(origin)[:1])
    )
    return {
        pk: ShownProduct(_with_photos(product), _availability(product.nearest))
        for pk, product in products.in_bulk(list(product_ids)).items()
    }


def _photos() -> QuerySet:
    rows = ProductImage.objects.filter(product=OuterRef("pk")).order_by("view_rank", "id")
    return rows.values(photo=JSONObject(**{name: name for name in PHOTO_FIELDS}))


def _nearest_stores(origin: Place | None) -> QuerySet:
    stores = Store.objects.filter(stock__product=OuterRef("pk"), stock__quantity__gt=0)
    fields = {name: name for name in STORE_FIELDS}
    if origin is None:
        return stores.order_by("id").values(place=JSONObject(**fields))
    return stores.by_distance(origin).values(place=JSONObject(**fields, distance_km="distance_km"))


def _with_photos(product: Product) -> Product:
    """The product with its photos where `prefetch_related` leaves them."""
    photos = product.images.all()
    values = ([photo[name] for name in PHOTO_FIELDS] for photo in product.photos)
    photos._result_cache = [ProductImage.from_db(photos.db, PHOTO_FIELDS, row) for row in values]
    product._prefetched_objects_cache = {"images": photos}
    return product


def _availability(place: dict[str, Any] | None) -> Availability | None:
    if place is None:
        return None
    values = [place[name] for name in STORE_FIELDS]
    return Availability(Store.from_db(None, STORE_FIELDS, values), place.get("distance_km"))
