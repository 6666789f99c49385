"""Stores within a distance: the box never cuts off what the circle holds."""

import numpy as np
import pytest
from django.db import connection

from catalog.models import Store
from catalog.places import DISTANCE_KM, Place, distance_km
from shoppers.geography import haversine_km, random_points_on_sphere

MEASURE_STORES = "SELECT {distance_km} FROM catalog_store store ORDER BY id"


@pytest.fixture
def stores():
    """200 stores all over the globe, and some at its edges; (200 + 6, 2) degrees."""
    latitudes, longitudes = random_points_on_sphere(np.random.default_rng(1), 200)
    edges = [(90, 0), (-90, 0), (0, 180), (0, -180), (89.9, 120), (-16.8, 179.9)]
    places = [*zip(latitudes.tolist(), longitudes.tolist(), strict=True), *edges]
    Store.objects.bulk_create(
        Store(name=str(n), latitude=latitude, longitude=longitude)
        for n, (latitude, longitude) in enumerate(places)
    )
    return np.array(places)


@pytest.mark.django_db
@pytest.mark.parametrize("radius_km", [1, 500, 3_000, 9_900, 10_100, 19_000, 20_016, 1e6])
def test_the_same_stores_as_a_loop_over_the_haversine_formula(stores, radius_km):
    for latitude, longitude in [
        (48, 16),
        (89.95, 120),
        (-89, 0),
        (-17, 179.95),
        (0, -180),
        (90, 0),
    ]:
        distances = haversine_km(latitude, longitude, stores[:, 0], stores[:, 1])
        expected = {str(n) for n in np.flatnonzero(distances <= radius_km)}
        found = Store.objects.within_km(Place(latitude, longitude), radius_km)
        assert set(found.values_list("name", flat=True)) == expected


@pytest.mark.django_db
def test_distances_are_those_of_numpy(stores):
    place = Place(-33.9, 151.2)
    rows = Store.objects.annotate(km=distance_km(place)).order_by("id").values_list("km", flat=True)
    expected = haversine_km(place.latitude, place.longitude, stores[:, 0], stores[:, 1])
    assert np.allclose(list(rows), expected, atol=1e-6)


@pytest.mark.django_db
def test_the_sql_for_statements_of_our_own_measures_the_same(stores):
    place = Place(-33.9, 151.2)
    rows = Store.objects.annotate(km=distance_km(place)).order_by("id").values_list("km", flat=True)
    sql = MEASURE_STORES.format(distance_km=DISTANCE_KM.format(row="store"))
    with connection.cursor() as cursor:
        cursor.execute(sql, {"latitude": place.latitude, "longitude": place.longitude})
        assert np.allclose([km for (km,) in cursor.fetchall()], list(rows), rtol=1e-12)


@pytest.mark.parametrize("place", [(91, 0), (0, 181), (float("nan"), 0)])
def test_a_place_is_on_earth(place):
    with pytest.raises(ValueError, match="latitude must be from -90 to 90"):
        Place(*place)
