"""Garments of the lower body, dresses' skirts, and shoes."""

from dataclasses import dataclass

import numpy as np

from fashrec_site.demo.garments.canvas import Cloth, Piece
from fashrec_site.demo.garments.figure import ANKLE_Y, CROTCH_Y, FLOOR_Y, HIP_Y, WAIST_Y, Figure
from fashrec_site.demo.garments.geometry import limb, mirrored, part_of, smooth, stroke
from fashrec_site.demo.garments.palette import Color
from fashrec_site.demo.garments.upper import darker


@dataclass(frozen=True)
class LegFit:
    """How trousers are cut: half widths at thigh, knee and hem, and how far down they reach."""

    thigh: float = 19.5
    knee: float = 13.5
    hem: float = 10.0
    length: float = 1.0  # share of the leg
    rise_y: float = 182.0


SKINNY = LegFit(18.8, 12.6, 8.2)
STRAIGHT = LegFit(20, 15, 12.5)
WIDE = LegFit(20.5, 19, 19.5)
FLARED = LegFit(19.5, 13.5, 20)
LOOSE_SHORTS = LegFit(21.5, 20.5, 20, length=0.46)
SHORT_SHORTS = LegFit(20.5, 20.5, 20.5, length=0.24)


def trousers(
    figure: Figure, fit: LegFit, cloth: Cloth, seam: Color, label: str = "bottom"
) -> list[Piece]:
    """Two legs and the hips as one piece of cloth, with inner seams."""
    hips = [(figure.hip - 4, fit.rise_y), (figure.hip + 1.5, HIP_Y - 4), (figure.hip + 1, CROTCH_Y)]
    outlines = [mirrored(np.vstack([smooth(hips), [(0, CROTCH_Y + 5)]]))]
    seams = [stroke([(0, CROTCH_Y - 22), (0, CROTCH_Y + 6)], 1.1)]
    for side in (-1, 1):
        path = part_of(figure.leg(side), fit.length)
        knee_share = np.interp(0.52 / fit.length, [0, 1], [fit.thigh, fit.hem])
        knee = fit.knee if fit.length > 0.6 else float(knee_share)
        outlines.append(limb(path, [fit.thigh, (fit.thigh + knee) / 2, knee, fit.hem, fit.hem]))
        inner = (
            path - np.array([side, 0]) * np.linspace(figure.hip * 0.5, fit.hem - 1.5, 8)[:, None]
        )
        seams.append(stroke(inner[1:], 0.9))
    return [
        Piece(label, cloth, outlines, [_between_legs(figure, fit)]),
        Piece(label, Cloth.of(darker(seam, 0.35)), seams, shaded=False),
    ]


def _between_legs(figure: Figure, fit: LegFit) -> np.ndarray:
    """A wedge that keeps wide legs from looking like a skirt."""
    end_y = part_of(figure.leg(1), fit.length)[-1][1] + 6
    half_width = 2.5 + 5 * (end_y - CROTCH_Y) / (ANKLE_Y - CROTCH_Y) * (fit.length > 0.6)
    wedge = [(0, CROTCH_Y + 8), (half_width, end_y), (-half_width, end_y)]
    return np.array(wedge, dtype=np.float64)


def waistband(figure: Figure, rise_y: float, color: Color, label: str = "bottom") -> list[Piece]:
    """A band along the waist."""
    band = mirrored([(figure.hip - 3.5, rise_y - 1), (figure.hip - 2, rise_y + 8)])
    return [Piece(label, Cloth.of(color), [band], shaded=False)]


def jeans_details(figure: Figure, fit: LegFit, thread: Color) -> list[Piece]:
    """Stitched pockets, fly and hems."""
    top = fit.rise_y + 8
    pocket = smooth(
        [(figure.hip - 16, top), (figure.hip - 12, top + 14), (figure.hip + 1, top + 18)]
    )
    stitches = [stroke(pocket, 1.2), stroke(pocket * (-1, 1), 1.2)]
    stitches.append(stroke([(5, top), (5, top + 20), (0, top + 28)], 1.1))
    for side in (-1, 1):
        end = part_of(figure.leg(side), fit.length)[-1]
        width = fit.hem - 1
        y = end[1] - 5
        stitches.append(stroke([(end[0] - width, y), (end[0] + width, y)], 1.1))
    return [Piece("bottom", Cloth.of(thread), stitches, shaded=False)]


def skirt(
    figure: Figure,
    cloth: Cloth,
    *,
    hem_y: float,
    hem_half_width: float,
    waist_y: float = WAIST_Y,
    label: str = "bottom",
) -> list[Piece]:
    """A skirt from the waist to `hem_y`, straight or flared."""
    hip = max(figure.hip + 2.5, figure.waist + (hem_half_width - figure.waist) * 0.45)
    side = [(figure.waist + 2.5, waist_y - 2), (hip, HIP_Y), (hem_half_width, hem_y)]
    outline = np.vstack([smooth(side), smooth([(hem_half_width, hem_y), (0, hem_y + 5)])])
    return [Piece(label, cloth, [mirrored(outline)])]


def pleats(
    figure: Figure, color: Color, *, hem_y: float, hem_half_width: float, n_pleats: int, label: str
) -> list[Piece]:
    """Fold lines from the waist to the hem."""
    shares = np.linspace(-0.8, 0.8, n_pleats).tolist()
    folds = [
        limb([(s * figure.waist, WAIST_Y + 8), (s * hem_half_width, hem_y + 1)], [0.3, 1.3])
        for s in shares
    ]
    return [Piece(label, Cloth.of(color), folds, shaded=False)]


def shoes(figure: Figure, color: Color) -> list[Piece]:
    """A pair of plain shoes."""
    outlines = []
    for side in (-1, 1):
        x = abs(figure.leg(side)[2][0])
        shoe = [(x - 7, ANKLE_Y - 5), (x + 7, ANKLE_Y - 5), (x + 11, FLOOR_Y - 8)]
        shoe += [(x + 10, FLOOR_Y), (x - 7, FLOOR_Y), (x - 8, ANKLE_Y + 4), (x - 7, ANKLE_Y - 5)]
        outlines.append(smooth(shoe, 3) * (side, 1))
    return [Piece("shoes", Cloth.of(color), outlines)]
