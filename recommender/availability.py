"""Where a recommended product can be bought, and how far away that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.models import Stock, Store
from catalog.places import Place
from shoppers.geography import haversine_km


@dataclass(frozen=True)
class Availability:
    """A store that stocks a product; `distance_km` is None where the origin is unknown."""

    store: Store
    distance_km: float | None


def stores_within_km(origin: Place, radius_km: float) -> list[int]:
    """Keys of the stores at most `radius_km` (great-circle) away from `origin`. One query."""
    return list(Store.objects.within_km(origin, radius_km).values_list("pk", flat=True))


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
