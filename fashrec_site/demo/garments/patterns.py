"""Cloth patterns as index tiles, which a colourway turns into colours.

A tile is (900, 600) uint8 of indices into `Colorway.table()`, two pixels per unit of the body.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

TILE_HEIGHT, TILE_WIDTH = 900, 600
BASE, ACCENT, SECOND, HALF, DARKER, LIGHTER = range(6)

_y, _x = np.mgrid[0:TILE_HEIGHT, 0:TILE_WIDTH].astype(np.int32)


def plain(rng: np.random.Generator) -> np.ndarray:
    """One colour."""
    return np.zeros((TILE_HEIGHT, TILE_WIDTH), dtype=np.uint8)


def heather(rng: np.random.Generator) -> np.ndarray:
    """Short flecks, lighter and darker."""
    flecks = rng.random((TILE_HEIGHT // 2, TILE_WIDTH // 4)).repeat(2, 0).repeat(4, 1)
    return np.select([flecks < 0.16, flecks > 0.86], [DARKER, LIGHTER], BASE).astype(np.uint8)


def stripes(rng: np.random.Generator) -> np.ndarray:
    """Horizontal stripes, thin or bold, now and then of two colours."""
    period = int(rng.choice([14, 22, 36]))
    band = _y % period < period * rng.choice([0.35, 0.5])
    colors = np.where((_y // period) % 2 == 0, ACCENT, rng.choice([ACCENT, SECOND]))
    return np.where(band, colors, BASE).astype(np.uint8)


def vertical_stripes(rng: np.random.Generator) -> np.ndarray:
    """Vertical stripes."""
    period = int(rng.choice([10, 18, 28]))
    return np.where(_x % period < period * rng.choice([0.25, 0.45]), ACCENT, BASE).astype(np.uint8)


def pinstripes(rng: np.random.Generator) -> np.ndarray:
    """Hairlines on a ground."""
    return np.where(_x % int(rng.choice([12, 16])) < 1, ACCENT, BASE).astype(np.uint8)


def gingham(rng: np.random.Generator) -> np.ndarray:
    """Even checks, full where both stripes cross."""
    half = int(rng.choice([8, 13]))
    crossings = (_y // half % 2) + (_x // half % 2)
    return np.choose(crossings, [BASE, HALF, ACCENT]).astype(np.uint8)


def plaid(rng: np.random.Generator) -> np.ndarray:
    """Broad checks under thin lines of the second colour."""
    period = int(rng.choice([44, 60]))
    wide = period * 0.45
    crossings = (_y % period < wide).astype(int) + (_x % period < wide)
    cloth = np.choose(crossings, [BASE, HALF, DARKER])
    middle = int(period * 0.72)
    lines = (abs(_y % period - middle) < 2) | (abs(_x % period - middle) < 2)
    thin = (_y % period < 2) | (_x % period < 2)
    return np.select([lines, thin], [SECOND, ACCENT], cloth).astype(np.uint8)


def dots(rng: np.random.Generator) -> np.ndarray:
    """Staggered dots."""
    period = int(rng.choice([16, 26]))
    row = _y // period
    across = (_x + (row % 2) * period // 2) % period - period / 2
    down = _y % period - period / 2
    return np.where(across**2 + down**2 < (period * 0.26) ** 2, ACCENT, BASE).astype(np.uint8)


def floral(rng: np.random.Generator) -> np.ndarray:
    """Scattered flowers with leaves."""
    tile = Image.new("L", (300, 300), BASE)
    draw = ImageDraw.Draw(tile)
    size = float(rng.choice([5.0, 8.5]))
    step = size * 4.4
    for row in range(int(300 / step)):
        for column in range(int(300 / step)):
            x, y = (np.array([column, row]) + 0.5 + rng.uniform(-0.22, 0.22, 2)) * step
            _flower(draw, x, y, size * rng.uniform(0.8, 1.15), rng.uniform(0, 2 * np.pi))
    return np.tile(np.asarray(tile), (3, 2))


def _flower(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, turn: float) -> None:
    leaf_x, leaf_y = x + 1.7 * size * np.cos(turn), y + 1.7 * size * np.sin(turn)
    _disc(draw, leaf_x, leaf_y, size * 0.5, HALF)
    for angle in turn + np.arange(5) * 2 * np.pi / 5:
        _disc(draw, x + size * 0.8 * np.cos(angle), y + size * 0.8 * np.sin(angle), size * 0.6, 1)
    _disc(draw, x, y, size * 0.45, SECOND)


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, index: int) -> None:
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=index)


def denim(rng: np.random.Generator) -> np.ndarray:
    """A twill's diagonals with worn flecks."""
    twill = np.where((_x + 2 * _y) % 6 < 2, LIGHTER, BASE)
    worn = rng.random(_x.shape)
    return np.select([worn < 0.1, worn > 0.92], [DARKER, LIGHTER], twill).astype(np.uint8)


def ribs(rng: np.random.Generator) -> np.ndarray:
    """Knitted ribs: columns of slanted stitches."""
    period = int(rng.choice([8, 12]))
    slant = (_y + abs(_x % period - period // 2)) % 6 < 2
    return np.select([_x % period < 2, slant], [DARKER, LIGHTER], BASE).astype(np.uint8)


def cables(rng: np.random.Generator) -> np.ndarray:
    """Braids between ribs."""
    swing = 8 * np.sin(_y / 9.0)
    across = _x % 48 - 24
    braid = (abs(across - swing) < 4) | (abs(across + swing) < 4)
    return np.select([braid, abs(across) > 21], [LIGHTER, DARKER], BASE).astype(np.uint8)


def argyle(rng: np.random.Generator) -> np.ndarray:
    """Diamonds with crossing lines."""
    u, v = (_x * 1.4 + _y) % 84, (_x * 1.4 - _y) % 84
    diamonds = (u < 42) & (v < 42)
    lines = (abs(u - 21) < 1.2) | (abs(v - 21) < 1.2)
    return np.select([lines, diamonds], [SECOND, ACCENT], BASE).astype(np.uint8)


def zigzag(rng: np.random.Generator) -> np.ndarray:
    """Zigzag bands of two colours."""
    band = (_y + abs(_x % 40 - 20)) % 54
    return np.select([band < 12, (band > 20) & (band < 26)], [ACCENT, SECOND], BASE).astype(
        np.uint8
    )


def blobs(rng: np.random.Generator) -> np.ndarray:
    """Large soft-edged blots, as in camouflage."""
    coarse = rng.normal(size=(2, 20, 14)).astype(np.float32)
    first, second = (
        np.asarray(Image.fromarray(c).resize((TILE_WIDTH, TILE_HEIGHT), Image.Resampling.BICUBIC))
        for c in coarse
    )
    return np.select([first > 0.5, second > 0.6], [ACCENT, SECOND], BASE).astype(np.uint8)


def colorblock(rng: np.random.Generator) -> np.ndarray:
    """Two or three wide fields, one below the other."""
    edge = int(rng.integers(270, 310))
    return np.select([_y < edge, _y < edge + 26], [BASE, SECOND], ACCENT).astype(np.uint8)


PATTERNS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    pattern.__name__: pattern
    for pattern in (
        plain,
        heather,
        stripes,
        vertical_stripes,
        pinstripes,
        gingham,
        plaid,
        dots,
        floral,
        denim,
        ribs,
        cables,
        argyle,
        zigzag,
        blobs,
        colorblock,
    )
}
