"""Where a recommended product can be bought, and how far away that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.models import Stock, Store
from shoppers.geography import haversine_km


@dataclass(frozen=True)
class Place:
    """A point on Earth, in degrees."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(
                "latitude must be from -90 to 90 and longitude from -180 to 180; "
                f"got {self.latitude}, {self.longitude}"
            )


@dataclass(frozen=True)
class Availability:
    """A store that stocks a product; `distance_km` is None where the origin is unknown."""

    store: Store
    distance_km: float | None


def stores_within_km(origin: Place, radius_km: float) -> list[int]:
    """Keys of the stores at most `radius_km` (great-circle) away from `origin`."""
    stores = Store.objects.values_list("pk", "latitude", "longitude")
    return [
        pk
        for pk, latitude, longitude in stores
        if haversine_km(origin.latitude, origin.longitude, latitude, longitude) <= radius_km
    ]


def nearest_stores(product_ids: Sequence[int], origin: Place | None) -> dict[int, Availability]:
    """For each product in stock anywhere, the nearest store that has it. One query.

    Without an origin it is the store with the smallest key.
    """
    nearest: dict[int, Availability] = {}
    stock = (
        Stock.objects.filter(product_id__in=product_ids, quantity__gt=0)
        .select_related("store")
        .order_by("store_id")
    )
    for row in stock:
        distance = _distance_km(origin, row.store)
        known = nearest.get(row.product_id)
        if known is None or (distance is not None and distance < known.distance_km):
            nearest[row.product_id] = Availability(row.store, distance)
    return nearest


def _distance_km(origin: Place | None, store: Store) -> float | None:
    if origin is None:
        return None
    distance = haversine_km(origin.latitude, origin.longitude, store.latitude, store.longitude)
    return float(np.asarray(distance).item())
