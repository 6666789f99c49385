"""Places on Earth in SQL: distances, and the box that holds everything within a distance."""

from dataclasses import dataclass
from math import asin, cos, degrees, radians, sin

from django.db.models import FloatField, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import ASin, Cos, Least, Power, Radians, Sin, Sqrt

EARTH_RADIUS_KM = 6371.0
# The SQL of `distance_km`, for statements of our own: of a `{row}` from the parameters' place.
DISTANCE_KM = f"""{2 * EARTH_RADIUS_KM} * asin(least(1.0, sqrt(
        power(sin((radians({{row}}.latitude) - radians(%(latitude)s::float8)) / 2), 2)
        + cos(radians(%(latitude)s::float8)) * cos(radians({{row}}.latitude))
        * power(sin((radians({{row}}.longitude) - radians(%(longitude)s::float8)) / 2), 2)
    )))"""


@dataclass(frozen=True)
class Place:
    """A point on Earth, in degrees. Raises ValueError outside of it."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError(
                "latitude must be from -90 to 90 and longitude from -180 to 180; "
                f"got {self.latitude}, {self.longitude}"
            )


def distance_km(place: Place) -> Combinable:
    """The great-circle distance of a row's `latitude` and `longitude` from `place`, as SQL.

    Source: R. W. Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984); the sphere is that
    of `shoppers.geography`.
    """
    phi, lam = radians(place.latitude), radians(place.longitude)
    half_chord_squared = Power(Sin((Radians("latitude") - Value(phi)) / 2.0), 2) + Value(
        cos(phi)
    ) * Cos(Radians("latitude")) * Power(Sin((Radians("longitude") - Value(lam)) / 2.0), 2)
    # Rounding may lift antipodes a hair above 1, where arcsin has no value.
    chord = Least(Sqrt(half_chord_squared), Value(1.0), output_field=FloatField())
    return Value(2 * EARTH_RADIUS_KM) * ASin(chord)


def inside_box(place: Place, radius_km: float) -> Q:
    """The condition that a row lies in the box around the circle; an index serves it.

    The box may cross the antimeridian; where the circle holds a pole it goes all the way round.
    """
    angle = radius_km / EARTH_RADIUS_KM
    south = place.latitude - degrees(angle)
    north = place.latitude + degrees(angle)
    latitudes = Q(latitude__gte=south, latitude__lte=north)
    if south <= -90 or north >= 90:
        return latitudes
    # The circle's widest meridian lies beyond its centre's parallel: sin(width) = sin(a)/cos(phi).
    width = degrees(asin(min(1.0, sin(angle) / cos(radians(place.latitude)))))
    west, east = place.longitude - width, place.longitude + width
    longitudes = Q(longitude__gte=west, longitude__lte=east)
    if west < -180:
        longitudes |= Q(longitude__gte=west + 360)
    if east > 180:
        longitudes |= Q(longitude__lte=east - 360)
    return latitudes & longitudes
