"""Places on Earth: distances between them, and random ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0


def haversine_km(
    latitude_1: ArrayLike, longitude_1: ArrayLike, latitude_2: ArrayLike, longitude_2: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distance in kilometres on a sphere of radius 6371 km.

    Takes degrees; the four arguments broadcast against each other, as numpy arrays do, and the
    answer has the broadcast shape (a numpy scalar for four numbers). Range 0 to 20,015 km.
    Source: R. W. Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984).
    """
    phi_1, lambda_1, phi_2, lambda_2 = (
        np.radians(np.asarray(degrees, dtype=np.float64))
        for degrees in (latitude_1, longitude_1, latitude_2, longitude_2)
    )
    half_chord_squared = (
        np.sin((phi_2 - phi_1) / 2) ** 2
        + np.cos(phi_1) * np.cos(phi_2) * np.sin((lambda_2 - lambda_1) / 2) ** 2
    )
    # Rounding may lift antipodes a hair above 1, where arcsin has no value.
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half_chord_squared, 1.0)))


@dataclass(frozen=True)
class BoundingBox:
    """A part of the globe between two parallels and two meridians, in degrees.

    With west > east the box crosses the antimeridian. Raises ValueError for an empty or
    impossible box.
    """

    south: float
    west: float
    north: float
    east: float

    def __post_init__(self) -> None:
        if not -90 <= self.south < self.north <= 90:
            raise ValueError(
                "a bounding box needs -90 <= SOUTH < NORTH <= 90, "
                f"not SOUTH {self.south:g}, NORTH {self.north:g}"
            )
        if not (-180 <= self.west <= 180 and -180 <= self.east <= 180) or self.west == self.east:
            raise ValueError(
                "a bounding box needs two different meridians in [-180, 180], "
                f"not WEST {self.west:g}, EAST {self.east:g}"
            )

    @classmethod
    def parse(cls, text: str) -> "BoundingBox":
        """Read `SOUTH,WEST,NORTH,EAST`; raises ValueError."""
        try:
            south, west, north, east = (float(part) for part in text.split(","))
        except ValueError as error:
            raise ValueError(
                f"expected four numbers SOUTH,WEST,NORTH,EAST in degrees, not {text!r}"
            ) from error
        return cls(south, west, north, east)

    @property
    def width(self) -> float:
        """Degrees of longitude from west to east, in (0, 360]."""
        return self.east - self.west if self.east > self.west else self.east - self.west + 360


WHOLE_EARTH = BoundingBox(south=-90, west=-180, north=90, east=180)


def random_points(
    rng: np.random.Generator, n_points: int, box: BoundingBox = WHOLE_EARTH
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes in degrees, each (n_points,), uniform by area within the box.

    The sine of the latitude is what must be uniform (Archimedes: a zone's area is proportional to
    its height); a uniform latitude would bunch points at the poles.
    """
    low, high = np.sin(np.radians([box.south, box.north]))
    sine = low + (high - low) * rng.random(n_points)
    latitude = np.clip(np.degrees(np.arcsin(sine)), box.south, box.north)
    longitude = box.west + box.width * rng.random(n_points)
    return latitude, np.where(longitude > 180, longitude - 360, longitude)


def random_points_on_sphere(
    rng: np.random.Generator, n_points: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes in degrees, each (n_points,), uniform over the whole Earth."""
    return random_points(rng, n_points, WHOLE_EARTH)
