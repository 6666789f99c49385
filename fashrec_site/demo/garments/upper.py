"""Garments of the upper body: bodices, sleeves, collars, fastenings, prints."""

from dataclasses import dataclass

import numpy as np

from fashrec_site.demo.garments.canvas import Cloth, Piece
from fashrec_site.demo.garments.figure import HIP_Y, SHOULDER_Y, WAIST_Y, Figure
from fashrec_site.demo.garments.geometry import (
    ellipse,
    limb,
    mirrored,
    part_of,
    rounded_limb,
    smooth,
    star,
    stroke,
)
from fashrec_site.demo.garments.palette import Color, Colorway, mixed

NECK_CUTS: dict[str, np.ndarray] = {
    "crew": ellipse((0, 101), 14, 8),
    "scoop": ellipse((0, 102), 17, 19),
    "boat": ellipse((0, 103), 24, 6),
    "v": np.array([(-13, 96), (13, 96), (0, 129)], dtype=np.float64),
    "deep_v": np.array([(-14, 96), (14, 96), (0, 150)], dtype=np.float64),
    "collar": np.array([(-10, 96), (10, 96), (0, 116)], dtype=np.float64),
}


@dataclass(frozen=True)
class Fit:
    """How an upper garment is cut; lengths in the body's units, `sleeve` a share of the arm."""

    ease: float = 4.0
    hem_y: float = 222.0
    sleeve: float = 0.0
    sleeve_half_width: float = 12.0
    cuff_half_width: float = 11.0
    neck: str = "crew"
    flare: float = 0.0
    strap: bool = False


def bodice(figure: Figure, fit: Fit, cloth: Cloth, label: str = "top") -> list[Piece]:
    """Sleeves, then the body of the garment with its neckline cut out."""
    cuts = [] if fit.neck == "none" else [NECK_CUTS[fit.neck]]
    body = Piece(label, cloth, [mirrored(_side(figure, fit))], cuts)
    return [*sleeves(figure, fit, cloth, label), body]


def sleeves(figure: Figure, fit: Fit, cloth: Cloth, label: str) -> list[Piece]:
    """Both sleeves, none where the fit has none."""
    if fit.sleeve == 0:
        return []
    widths = [fit.sleeve_half_width, (fit.sleeve_half_width + fit.cuff_half_width) / 2]
    return [
        Piece(
            label,
            cloth,
            rounded_limb(part_of(figure.arm(side), fit.sleeve), [*widths, fit.cuff_half_width]),
        )
        for side in (-1, 1)
    ]


def cuffs(figure: Figure, fit: Fit, color: Color, label: str) -> list[Piece]:
    """A band at the end of both sleeves."""
    bands = []
    for side in (-1, 1):
        end = part_of(figure.arm(side), fit.sleeve)[-2:]
        bands.append(limb(end, [fit.cuff_half_width + 0.3] * 2))
    return [Piece(label, Cloth.of(color), bands)]


def hem_band(figure: Figure, fit: Fit, color: Color, label: str, depth: float = 9) -> list[Piece]:
    """A knitted band along the hem."""
    side = _side(figure, fit)
    low = side[side[:, 1] > fit.hem_y - depth]
    edge = np.vstack([[low[0][0], fit.hem_y - depth], low])
    return [Piece(label, Cloth.of(color), [mirrored(edge)])]


def neckband(fit: Fit, color: Color, label: str = "top") -> list[Piece]:
    """A band that follows the neckline."""
    if fit.neck in ("v", "deep_v", "collar"):
        left, right, low = NECK_CUTS[fit.neck]
        below_shoulder = np.array([0, 6])
        line = stroke([left + below_shoulder, low, right + below_shoulder], 3.2)
    else:
        cut = NECK_CUTS[fit.neck]
        line = stroke(cut[:17], 3.2)  # the lower half, from right to left
    return [Piece(label, Cloth.of(color), [line], shaded=False)]


def turtleneck(cloth: Cloth) -> list[Piece]:
    """A high collar up to the chin."""
    return [Piece("top", cloth, [mirrored([(11, 84), (12, 96), (19, 106), (0, 110)])])]


def shirt_collar(color: Color, label: str = "top") -> list[Piece]:
    """Two collar points."""
    flap = np.array([(2, 117), (9, 94), (20, 104), (14, 120)], dtype=np.float64)
    outlines = [flap, flap * (-1, 1)]
    return [Piece(label, Cloth.of(color), outlines)]


def placket(
    color: Color, top_y: float, bottom_y: float, n_buttons: int, label: str = "top"
) -> list[Piece]:
    """A row of buttons on a line from `top_y` to `bottom_y`."""
    line = stroke([(3, top_y), (3, bottom_y)], 0.9)
    button_y = np.linspace(top_y + 6, bottom_y - 8, n_buttons)
    buttons = [ellipse((0, y), 1.7, 1.7) for y in button_y.tolist()]
    return [Piece(label, Cloth.of(color), [line, *buttons], shaded=False)]


def lines(points: list[list[tuple[float, float]]], color: Color, label: str) -> list[Piece]:
    """Seams and quilting, each mirrored."""
    outlines = []
    for one in points:
        outlines.append(stroke(one, 1.3))
        outlines.append(stroke(np.array(one) * (-1, 1), 1.3))
    return [Piece(label, Cloth.of(color), outlines, shaded=False)]


def open_front(
    figure: Figure, fit: Fit, cloth: Cloth, gap: float, label: str = "outer"
) -> list[Piece]:
    """A garment worn open: two fronts with a gap of half width `gap` between them."""
    side = _side(figure, fit)
    opening = np.array(
        [(gap + 3, fit.hem_y), (gap, WAIST_Y), (gap * 0.7, 140), (9, SHOULDER_Y - 8)]
    )
    front = np.vstack([side, smooth(opening)])
    pieces = [Piece(label, cloth, [front * (sign, 1)]) for sign in (1, -1)]
    return [*sleeves(figure, fit, cloth, label), *pieces]


def lapels(color: Color, low_y: float, reach: float, label: str = "outer") -> list[Piece]:
    """A pair of notched lapels down to `low_y`."""
    flap = np.array([(2, low_y), (8, 97), (16, 100), (reach, 118), (reach - 5, 121), (reach, 126)])
    return [Piece(label, Cloth.of(color), [flap, flap * (-1, 1)])]


def hood(cloth: Cloth) -> list[Piece]:
    """A hood lying on the shoulders, behind the head."""
    outline = smooth([(0, 78), (21, 82), (29, 96), (25, 110), (0, 118)])
    return [Piece("top", cloth, [mirrored(outline)], [NECK_CUTS["crew"]])]


def kangaroo_pocket(color: Color) -> list[Piece]:
    """The pouch of a hoodie, with its drawstrings."""
    pouch = mirrored([(12, 182), (22, 204), (22, 216), (0, 216)])
    strings = [stroke([(side * 6, 110), (side * 7, 136)], 1.6) for side in (-1, 1)]
    return [Piece("top", Cloth.of(color), [pouch, *strings])]


def graphic(colors: Colorway, rng: np.random.Generator) -> list[Piece]:
    """A print on the chest."""
    kind = str(rng.choice(["sunset", "star", "peaks", "target", "bolt", "flower", "bars"]))
    middle, size = (0.0, 146.0), float(rng.uniform(15, 20))
    first, second = colors.accent, colors.second
    ring = ellipse(middle, size, size)
    match kind:
        case "sunset":
            gaps = [stroke([(-size, y), (size, y)], 2.2) for y in (148, 153, 158, 163)]
            layers = [(second, [ring], gaps)]
        case "star":
            layers = [(first, [ring], []), (second, [star(middle, size * 0.9)], [])]
        case "peaks":
            peak = np.array([(-size, 160), (-4, 128), (4, 142), (9, 136), (size, 160)])
            layers = [(first, [peak], []), (second, [ellipse((12, 131), 5, 5)], [])]
        case "target":
            inner = [ellipse(middle, size * 0.68, size * 0.68)]
            layers = [(first, [ring], inner), (second, [ellipse(middle, size / 3, size / 3)], [])]
        case "bolt":
            bolt = [(4, 126), (-10, 150), (-1, 150), (-5, 168), (11, 142), (2, 142)]
            layers = [(first, [ring], []), (second, [np.array(bolt, dtype=np.float64)], [])]
        case "flower":
            angles = np.arange(6) * np.pi / 3
            petals = [ellipse((11 * np.cos(a), 146 + 11 * np.sin(a)), 7, 7) for a in angles]
            layers = [(first, petals, []), (second, [ellipse(middle, 6, 6)], [])]
        case _:
            bars = [stroke([(-size - 4, y), (size + 4, y)], 5) for y in (136, 145, 154)]
            layers = [(first, bars[::2], []), (second, bars[1:2], [])]
    return [Piece("top", Cloth.of(c), shapes, cuts, shaded=False) for c, shapes, cuts in layers]


def darker(color: Color, share: float = 0.3) -> Color:
    """The colour of a seam or an edge of a cloth of `color`."""
    return mixed(color, (16, 12, 20), share)


def _side(figure: Figure, fit: Fit) -> np.ndarray:
    """The right side of a garment from the neck to the middle of the hem."""
    hip_share = np.clip((fit.hem_y - WAIST_Y) / (HIP_Y - WAIST_Y), 0, 1)
    hem = figure.waist + (figure.hip - figure.waist) * hip_share + fit.ease + fit.flare
    ease, waist = fit.ease, figure.waist + fit.ease * 1.2
    if fit.strap:
        start = [(12, 101), (17, 100), (figure.chest - 6, 116), (figure.chest + ease * 0.4, 130)]
    else:
        shoulder = figure.shoulder + ease * 0.4
        start = [(10, 98), (figure.shoulder - 8, SHOULDER_Y - 3), (shoulder, SHOULDER_Y + 4)]
        start.append((figure.chest + ease, 132))
    middle = [(waist, WAIST_Y)] if fit.hem_y > WAIST_Y + 12 else []
    return np.vstack([smooth([*start, *middle, (hem, fit.hem_y)]), [(0, fit.hem_y + 2.5)]])
