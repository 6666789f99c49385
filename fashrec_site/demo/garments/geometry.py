"""Outlines: smooth curves, mirrored profiles, tapered limbs, as closed (n_points, 2) polygons."""

from collections.abc import Sequence

import numpy as np

Points = Sequence[tuple[float, float]] | Sequence[np.ndarray] | np.ndarray


def smooth(points: Points, n_between: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through `points`: (n, 2) float64, its ends kept."""
    p = np.asarray(points, dtype=np.float64)
    padded = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, n_between, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        cubic = (3 * b - a - 3 * c + d) * t**3 + (2 * a - 5 * b + 4 * c - d) * t**2
        pieces.append(0.5 * (cubic + (c - a) * t + 2 * b))
    return np.vstack([*pieces, p[-1:]])


def mirrored(profile: Points) -> np.ndarray:
    """The closed outline whose right side is `profile` (x > 0) and whose left side mirrors it."""
    right = np.asarray(profile, dtype=np.float64)
    return np.vstack([right, right[::-1] * (-1, 1)])


def limb(path: Points, half_widths: Sequence[float]) -> np.ndarray:
    """The outline of a tapered band along a curve through `path`; widths are spread evenly."""
    center = smooth(path)
    position = np.linspace(0, 1, len(center))
    widths = np.interp(position, np.linspace(0, 1, len(half_widths)), half_widths)[:, None]
    along = np.gradient(center, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.column_stack([-along[:, 1], along[:, 0]])
    return np.vstack([center + normal * widths, (center - normal * widths)[::-1]])


def rounded_limb(path: Points, half_widths: Sequence[float]) -> list[np.ndarray]:
    """A limb and the disc that rounds its beginning, as at a shoulder."""
    x, y = np.asarray(path, dtype=np.float64)[0].tolist()
    return [limb(path, half_widths), ellipse((x, y), half_widths[0], half_widths[0])]


def part_of(path: Points, until: float) -> np.ndarray:
    """The curve through `path`, cut after the share `until` of its length, as 8 points."""
    curve = smooth(path)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    wanted = np.linspace(0, until * lengths[-1], 8)
    return np.column_stack([np.interp(wanted, lengths, curve[:, axis]) for axis in (0, 1)])


def ellipse(center: tuple[float, float], radius_x: float, radius_y: float) -> np.ndarray:
    """An ellipse as a polygon of 32 points."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    return np.column_stack(
        [center[0] + radius_x * np.cos(angle), center[1] + radius_y * np.sin(angle)]
    )


def stroke(points: Points, width: float) -> np.ndarray:
    """A line of even width through `points`."""
    return limb(points, [width / 2, width / 2])


def star(center: tuple[float, float], radius: float, n_points: int = 5) -> np.ndarray:
    """A star that points up."""
    angle = np.arange(2 * n_points) * np.pi / n_points - np.pi / 2
    reach = np.where(np.arange(2 * n_points) % 2 == 0, radius, radius * 0.42)
    return np.column_stack([center[0] + reach * np.cos(angle), center[1] + reach * np.sin(angle)])
