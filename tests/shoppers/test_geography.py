"""Distances on the Earth and random places on it."""

import numpy as np
import pytest
from scipy.stats import kstest

from shoppers.geography import BoundingBox, haversine_km, random_points, random_points_on_sphere

PARIS = (48.8566, 2.3522)
LONDON = (51.5074, -0.1278)
NEW_YORK = (40.7128, -74.0060)
LOS_ANGELES = (34.0522, -118.2437)
TOKYO = (35.6762, 139.6503)
QUARTER_OF_THE_GLOBE = np.pi * 6371 / 2


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (PARIS, LONDON, 343.6),
        (NEW_YORK, LOS_ANGELES, 3935.7),
        (LONDON, NEW_YORK, 5570.2),
        (PARIS, PARIS, 0.0),
        ((0, 0), (90, 0), QUARTER_OF_THE_GLOBE),
        ((0, 179.5), (0, -179.5), 6371 * np.radians(1)),
    ],
)
def test_the_distance_between_known_places_is_the_known_one(one, other, km):
    assert haversine_km(*one, *other) == pytest.approx(km, abs=0.05)


def test_antipodes_are_half_a_circumference_apart():
    latitude, longitude = random_points_on_sphere(np.random.default_rng(1), 2000)
    distance = haversine_km(latitude, longitude, -latitude, longitude + 180)
    assert distance == pytest.approx(np.full(2000, 2 * QUARTER_OF_THE_GLOBE), abs=1e-2)


def test_distances_broadcast_like_numpy_arrays():
    latitude = np.array([PARIS[0], LONDON[0], TOKYO[0]])
    longitude = np.array([PARIS[1], LONDON[1], TOKYO[1]])
    to_two = haversine_km(
        latitude[:, None], longitude[:, None], latitude[None, :2], longitude[None, :2]
    )
    assert to_two.shape == (3, 2)
    assert to_two[1, 0] == pytest.approx(float(haversine_km(*PARIS, *LONDON)))
    assert to_two[0, 0] == to_two[1, 1] == 0


def test_random_points_cover_the_sphere_by_area_and_do_not_bunch_at_the_poles():
    latitude, longitude = random_points_on_sphere(np.random.default_rng(7), 20_000)
    assert kstest(np.sin(np.radians(latitude)), "uniform", args=(-1, 2)).pvalue > 0.01
    assert kstest(longitude, "uniform", args=(-180, 360)).pvalue > 0.01
    # A latitude drawn uniformly, as one is tempted to, would put a third beyond 60 degrees.
    assert np.mean(np.abs(latitude) > 60) == pytest.approx(1 - np.sin(np.radians(60)), abs=0.01)


def test_points_in_a_box_lie_in_it_and_are_uniform_by_area():
    box = BoundingBox(south=40, west=-10, north=80, east=30)
    latitude, longitude = random_points(np.random.default_rng(3), 20_000, box)
    assert latitude.min() >= 40 and latitude.max() <= 80
    assert longitude.min() >= -10 and longitude.max() <= 30
    low, high = np.sin(np.radians([40, 80]))
    assert kstest(np.sin(np.radians(latitude)), "uniform", args=(low, high - low)).pvalue > 0.01


def test_a_box_may_cross_the_antimeridian():
    box = BoundingBox.parse("-20,170,0,-170")
    _, longitude = random_points(np.random.default_rng(3), 1000, box)
    assert np.all((longitude >= 170) | (longitude <= -170))
    assert np.mean(longitude > 0) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3", "expected four numbers SOUTH,WEST,NORTH,EAST in degrees, not '1,2,3'"),
        ("a,b,c,d", "expected four numbers SOUTH,WEST,NORTH,EAST in degrees, not 'a,b,c,d'"),
        (
            "50,0,40,10",
            "a bounding box needs -90 <= SOUTH < NORTH <= 90, not SOUTH 50, NORTH 40",
        ),
        (
            "nan,0,40,10",
            "a bounding box needs -90 <= SOUTH < NORTH <= 90, not SOUTH nan, NORTH 40",
        ),
        (
            "40,200,50,10",
            "a bounding box needs two different meridians in [-180, 180], not WEST 200, EAST 10",
        ),
        (
            "40,10,50,10",
            "a bounding box needs two different meridians in [-180, 180], not WEST 10, EAST 10",
        ),
    ],
)
def test_an_impossible_box_is_refused(text, message):
    with pytest.raises(ValueError) as refusal:
        BoundingBox.parse(text)
    assert str(refusal.value) == message
