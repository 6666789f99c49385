"""A map as SVG: plate carree, in tenths of a degree, cropped to what it shows.

The land is `static/fashrec/land.svg`, from Natural Earth (public domain); no tile server is asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.models import Store
from catalog.places import Place

WORLD = (-1800.0, -900.0, 3600.0, 1800.0)  # left, top, width, height
NARROWEST = 120.0  # 12 degrees: the outlines are too coarse for less
MARGIN = 0.15  # of the extent, on each side
WIDE = 2.0  # times as wide as high
N_NAMED = 12  # names of more would cover each other


@dataclass(frozen=True)
class Mark:
    """A store's place on the map."""

    store: Store
    x: str
    y: str
    is_chosen: bool
    anchor: str  # of its name, which is to stay on the map


@dataclass(frozen=True)
class Map:
    """What a template draws: sizes are in the map's own units, so that marks keep theirs."""

    view_box: str
    marks: list[Mark]
    origin: tuple[str, str] | None
    radius: str
    is_named: bool
    text_size: str


def map_of(
    stores: Sequence[Store], *, origin: Place | None = None, chosen: Store | None = None
) -> Map:
    """A map that shows all the stores, and the place that they are near to."""
    points = [_point(store.latitude, store.longitude) for store in stores]
    here = _point(origin.latitude, origin.longitude) if origin else None
    left, top, width, height = _frame([*points, here] if here else points)
    marks = [
        Mark(store, f"{x:.1f}", f"{y:.1f}", store == chosen, _anchor(x, left, width))
        for store, (x, y) in zip(stores, points, strict=True)
    ]
    return Map(
        view_box=f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}",
        marks=marks,
        origin=here and (f"{here[0]:.1f}", f"{here[1]:.1f}"),
        radius=f"{width / 150:.2f}",
        is_named=len(stores) <= N_NAMED,
        text_size=f"{width / 52:.2f}",
    )


def _point(latitude: float, longitude: float) -> tuple[float, float]:
    return 10 * longitude, -10 * latitude


def _anchor(x: float, left: float, width: float) -> str:
    return "end" if x > left + 0.75 * width else "start"


def _frame(points: Iterable[tuple[float, float]]) -> tuple[float, float, float, float]:
    """Left, top, width and height around all points, twice as wide as high, inside the world."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if not xs:
        return WORLD
    width = max(max(xs) - min(xs), WIDE * (max(ys) - min(ys)), NARROWEST) * (1 + 2 * MARGIN)
    width = min(width, WORLD[2])
    height = width / WIDE
    left = min(max((min(xs) + max(xs) - width) / 2, WORLD[0]), WORLD[0] + WORLD[2] - width)
    top = min(max((min(ys) + max(ys) - height) / 2, WORLD[1]), WORLD[1] + WORLD[3] - height)
    return left, top, width, height
