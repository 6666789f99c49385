"""Products as they are shown: with photos, and the nearest store that has them.

Every answer asks for them. The statement is written by hand and prepared, as Django took 5 ms to
build and compile its queryset: nearly half of all Python of an answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from catalog.database import fetch_prepared, reading_connection
from catalog.models import Category, CategoryGroup, Product, ProductImage, Store
from catalog.places import DISTANCE_KM, Place

# In the models' order, which `from_db` assigns by.
PRODUCT_FIELDS = tuple(field.attname for field in Product._meta.concrete_fields)
CATEGORY_FIELDS = ("id", "name", "group_id")
GROUP_FIELDS = ("id", "name")
PHOTO_FIELDS = ("id", "product_id", "image", "view")
STORE_FIELDS = ("id", "name", "latitude", "longitude")

SHOWN_PRODUCTS = """
SELECT {columns}, nearest.distance_km, photos.of_product
FROM catalog_product product
JOIN catalog_category category ON category.id = product.category_id
JOIN catalog_categorygroup category_group ON category_group.id = category.group_id
LEFT JOIN LATERAL (
    SELECT store.*, {distance_km} AS distance_km
    FROM catalog_stock stock JOIN catalog_store store ON store.id = stock.store_id
    WHERE stock.product_id = product.id AND stock.quantity > 0
    ORDER BY distance_km, store.id LIMIT 1
) AS nearest ON true
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array({photo}) ORDER BY view_rank, id) AS of_product
    FROM catalog_productimage photo WHERE photo.product_id = product.id
) AS photos
WHERE product.id = ANY(%(product_ids)s::bigint[])
"""


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
    parameters: dict[str, Any] = {"product_ids": list(product_ids)}
    if not parameters["product_ids"]:
        return {}
    if origin is not None:
        parameters |= {"latitude": origin.latitude, "longitude": origin.longitude}
    connection = reading_connection()
    rows = fetch_prepared(connection, _statement(is_measured=origin is not None), parameters)
    categories: dict[int, Category] = {}
    shown = (_shown_product(row, categories, connection.alias) for row in rows)
    return {one.product.pk: one for one in shown}


def _statement(*, is_measured: bool) -> str:
    columns = [
        *_columns("product", PRODUCT_FIELDS),
        *_columns("category", CATEGORY_FIELDS),
        *_columns("category_group", GROUP_FIELDS),
        *_columns("nearest", STORE_FIELDS),
    ]
    return SHOWN_PRODUCTS.format(
        columns=", ".join(columns),
        photo=", ".join(_columns("photo", PHOTO_FIELDS)),
        distance_km=DISTANCE_KM.format(row="store") if is_measured else "NULL::float8",
    )


def _columns(row: str, names: Sequence[str]) -> list[str]:
    return [f"{row}.{name}" for name in names]


def _shown_product(row: Sequence[Any], categories: dict[int, Category], alias: str) -> ShownProduct:
    """The product of a row; it takes its category from `categories`, or puts it there."""
    values = iter(row)
    product = Product.from_db(alias, PRODUCT_FIELDS, tuple(islice(values, len(PRODUCT_FIELDS))))
    of_category = tuple(islice(values, len(CATEGORY_FIELDS)))
    of_group = tuple(islice(values, len(GROUP_FIELDS)))
    of_store = tuple(islice(values, len(STORE_FIELDS)))
    distance_km, of_photos = values
    if product.category_id not in categories:
        category = Category.from_db(alias, CATEGORY_FIELDS, of_category)
        category.group = CategoryGroup.from_db(alias, GROUP_FIELDS, of_group)
        categories[category.pk] = category
    product.category = categories[product.category_id]
    _put_photos(product, of_photos or ())
    return ShownProduct(product, _availability(of_store, distance_km))


def _put_photos(product: Product, rows: Iterable[Sequence[Any]]) -> None:
    """Leave the product's photos where `prefetch_related` does."""
    photos = product.images.all()
    photos._result_cache = [ProductImage.from_db(photos.db, PHOTO_FIELDS, row) for row in rows]
    product._prefetched_objects_cache = {"images": photos}


def _availability(of_store: Sequence[Any], distance_km: float | None) -> Availability | None:
    if of_store[0] is None:
        return None
    return Availability(Store.from_db(None, STORE_FIELDS, of_store), distance_km)
