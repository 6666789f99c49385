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
NAME_SIZE = (14.0, 1.2)  # width and height of a name, in sizes of its text


@dataclass(frozen=True)
class Mark:
    """A store's place on the map."""

    store: Store
    x: str
    y: str
    is_chosen: bool
    label: str  # its name and how many more it stands for; "" where another's name stands for it
    anchor: str  # of its label, which is to stay on the map


@dataclass(frozen=True)
class Map:
    """What a template draws: sizes are in the map's own units, so that marks keep theirs."""

    view_box: str
    marks: list[Mark]
    origin: tuple[str, str] | None
    radius: str
    text_size: str


def map_of(
    stores: Sequence[Store], *, origin: Place | None = None, chosen: Store | None = None
) -> Map:
    """A map that shows all the stores, and the place that they are near to."""
    points = [_point(store.latitude, store.longitude) for store in stores]
    here = _point(origin.latitude, origin.longitude) if origin else None
    left, top, width, height = _frame([*points, here] if here else points)
    text_size = width / 52
    labels = _labels([store.name for store in stores], points, text_size)
    marks = [
        Mark(store, f"{x:.1f}", f"{y:.1f}", store == chosen, label, _anchor(x, left, width))
        for store, (x, y), label in zip(stores, points, labels, strict=True)
    ]
    return Map(
        view_box=f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}",
        marks=marks,
        origin=here and (f"{here[0]:.1f}", f"{here[1]:.1f}"),
        radius=f"{width / 150:.2f}",
        text_size=f"{text_size:.2f}",
    )


def _labels(
    names: Sequence[str], points: Sequence[tuple[float, float]], text_size: float
) -> list[str]:
    """The names that cover no earlier one, each with how many it would have covered."""
    width, height = (size * text_size for size in NAME_SIZE)
    n_there: dict[int, int] = {}  # position of a label -> stores that it stands for
    for index, (x, y) in enumerate(points):
        covered = (i for i in n_there if _near(points[i], (x, y), width, height))
        host = next(covered, index)
        n_there[host] = n_there.get(host, 0) + 1
    more = {i: f" and {n - 1} more" if n > 1 else "" for i, n in n_there.items()}
    return [f"{name}{more[i]}" if i in more else "" for i, name in enumerate(names)]


def _near(a: tuple[float, float], b: tuple[float, float], width: float, height: float) -> bool:
    return abs(a[0] - b[0]) < width and abs(a[1] - b[1]) < height


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
