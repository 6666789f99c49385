"""A standing figure: its measures, its pose, and its skin, face and hair as pieces.

Units are about a photo's pixels: x from the body's middle line, y downwards from the photo's top.
"""

from dataclasses import dataclass

import numpy as np

from fashrec_site.demo.garments.canvas import Cloth, Piece
from fashrec_site.demo.garments.geometry import (
    ellipse,
    limb,
    mirrored,
    rounded_limb,
    smooth,
    stroke,
)
from fashrec_site.demo.garments.palette import HAIR_COLORS, SKIN_TONES, Color, mixed

SHOULDER_Y, WAIST_Y, HIP_Y, CROTCH_Y, KNEE_Y, ANKLE_Y = 107.0, 174.0, 216.0, 236.0, 320.0, 408.0
FLOOR_Y = 424.0
ARM_POSES = ("down", "down", "away", "hip")


@dataclass(frozen=True)
class Figure:
    """Half widths of the body, and how its arms, legs and face are held and look."""

    gender: str
    shoulder: float
    chest: float
    waist: float
    hip: float
    arms: tuple[str, str]
    stance: float
    gaze: float
    skin: Color
    hair: Color
    hair_style: str

    def arm(self, side: int) -> np.ndarray:
        """Shoulder, elbow and wrist of the arm at `side`, 1 or -1: (3, 2)."""
        pose = self.arms[0 if side > 0 else 1]
        reach = {
            "down": [(3, 165), (5, 222)],
            "away": [(16, 163), (27, 216)],
            "hip": [(31, 160), (4, 200)],
        }[pose]
        points = [(self.shoulder - 6, SHOULDER_Y + 11)]
        points += [(self.shoulder + x, y) for x, y in reach]
        return np.array(points) * (side, 1)

    def leg(self, side: int) -> np.ndarray:
        """Hip, knee and ankle of the leg at `side`, 1 or -1: (3, 2)."""
        points = [(self.hip * 0.5, 222), (self.hip * 0.5 + self.stance * 0.6, KNEE_Y)]
        points.append((self.hip * 0.5 + self.stance, ANKLE_Y))
        return np.array(points) * (side, 1)


def draw_figure(gender: str, rng: np.random.Generator) -> Figure:
    """A figure of `gender` (WOMEN or MEN) with a pose, a skin tone and hair drawn from `rng`."""
    women = gender == "WOMEN"
    measures = (35.0, 29.0, 24.0, 34.0) if women else (43.0, 37.0, 33.0, 34.0)
    styles = ("long", "bob", "bun", "ponytail") if women else ("short", "quiff", "curls")
    return Figure(
        gender,
        *measures,
        arms=(str(rng.choice(ARM_POSES)), str(rng.choice(ARM_POSES))),
        stance=float(rng.uniform(0, 8)),
        gaze=float(rng.choice([-2.5, 0.0, 2.5])),
        skin=SKIN_TONES[int(rng.integers(len(SKIN_TONES)))],
        hair=HAIR_COLORS[int(rng.integers(len(HAIR_COLORS)))],
        hair_style=str(rng.choice(styles)),
    )


def back_hair(figure: Figure) -> list[Piece]:
    """The hair that falls behind the body."""
    outline = {
        "long": smooth([(0, 30), (24, 42), (29, 80), (31, 128), (0, 134)]),
        "bob": smooth([(0, 30), (25, 44), (29, 76), (26, 94), (0, 96)]),
    }.get(figure.hair_style)
    if figure.hair_style == "ponytail":
        tail = limb([(14, 50), (30, 70), (26, 118)], [6, 10, 2])
        return [Piece("hair", Cloth.of(figure.hair), [tail])]
    return [] if outline is None else [Piece("hair", Cloth.of(figure.hair), [mirrored(outline)])]


def bare_body(figure: Figure) -> list[Piece]:
    """Legs, arms, torso and neck."""
    skin = Cloth.of(figure.skin)
    pieces = [
        Piece("skin", skin, [limb(figure.leg(side), [18, 13.5, 11, 6.5])]) for side in (-1, 1)
    ]
    for side in (-1, 1):
        wrist_x, wrist_y = figure.arm(side)[2].tolist()
        hand = ellipse((wrist_x, wrist_y + 7), 6.0, 10)
        pieces.append(Piece("skin", skin, [*rounded_limb(figure.arm(side), [9, 7.5, 5]), hand]))
    profile = [
        (figure.shoulder - 12, SHOULDER_Y - 2),
        (figure.shoulder, SHOULDER_Y + 5),
        (figure.chest, 136),
        (figure.waist, WAIST_Y),
        (figure.hip, HIP_Y),
        (figure.hip - 2, CROTCH_Y),
    ]
    pieces.append(Piece("skin", skin, [mirrored(smooth([(9, 100), *profile]))]))
    neck = mirrored(smooth([(8.5, 78), (8.5, 96), (16, 106)]))
    neck_color = Cloth.of(mixed(figure.skin, (70, 30, 20), 0.14))
    pieces.append(Piece("skin", neck_color, [neck], shaded=False))
    return pieces


def head(figure: Figure) -> list[Piece]:
    """Face and the hair around it, in front of everything else."""
    outline = smooth([(0, 36), (15, 40), (20, 58), (17, 76), (7, 88), (0, 89)])
    face = Piece("face", Cloth.of(figure.skin), [mirrored(outline)])
    ears = [ellipse((side * 20, 65), 3.5, 6) for side in (-1, 1)]
    ear_color = Cloth.of(mixed(figure.skin, (70, 30, 20), 0.1))
    return [
        Piece("face", ear_color, ears, shaded=False),
        face,
        *_features(figure),
        *_front_hair(figure),
    ]


def _features(figure: Figure) -> list[Piece]:
    x = figure.gaze
    white = mixed(figure.skin, (255, 255, 255), 0.7)
    dark = mixed(figure.hair, (20, 16, 16), 0.5)
    blush = mixed(figure.skin, (214, 84, 84), 0.22)
    lips = mixed(figure.skin, (176, 40, 56), 0.62 if figure.gender == "WOMEN" else 0.34)
    nose = mixed(figure.skin, (80, 36, 24), 0.26)
    cheeks = [ellipse((x + side * 11, 73), 4, 3) for side in (-1, 1)]
    whites = [ellipse((x + side * 8, 64), 3.4, 2.4) for side in (-1, 1)]
    eyes = [ellipse((x + side * 8, 64), 1.9, 2.5) for side in (-1, 1)]
    brows = [
        stroke([(x + side * 4.5, 58.5), (x + side * 8, 57), (x + side * 11.5, 58.5)], 1.5)
        for side in (-1, 1)
    ]
    smile = limb([(x - 5, 78.5), (x, 80.5), (x + 5, 78.5)], [0.3, 1.7, 0.3])
    ridge = stroke([(x + 0.5, 66), (x + 1.8, 71.5), (x - 0.5, 72.5)], 1.1)
    drawn = (
        (blush, cheeks),
        (white, whites),
        (dark, eyes),
        (dark, brows),
        (nose, [ridge]),
        (lips, [smile]),
    )
    return [Piece("face", Cloth.of(color), outlines, shaded=False) for color, outlines in drawn]


def _front_hair(figure: Figure) -> list[Piece]:
    part = figure.gaze * 2
    cap = [(-22, 68), (-23, 46), (-12, 32), (0, 29), (12, 32), (23, 46), (22, 68)]
    fringe = smooth([(18, 52), (9, 46), (part, 43), (-9, 47), (-18, 54)])
    outlines = [np.vstack([smooth(cap), fringe])]
    match figure.hair_style:
        case "long":
            outlines.append(limb([(21, 52), (25, 84), (24, 122)], [3.5, 6.5, 4]))
            outlines.append(limb([(-21, 52), (-26, 84), (-27, 118)], [3.5, 6, 4]))
        case "bun":
            outlines.append(ellipse((part, 26), 11, 9))
        case "quiff":
            outlines = [np.vstack([smooth([*cap[:2], (-12, 28), (4, 23), *cap[4:]]), fringe])]
        case "curls":
            angles = np.linspace(np.pi * 1.02, np.pi * 1.98, 9).tolist()
            outlines += [ellipse((19 * np.cos(a), 48 + 17 * np.sin(a)), 7, 7) for a in angles]
        case "short":
            outlines = [np.vstack([smooth([(-21, 58), *cap[1:-1], (21, 58)]), fringe])]
    return [Piece("hair", Cloth.of(figure.hair), outlines)]
