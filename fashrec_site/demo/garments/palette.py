"""Colours of cloth, skin, hair and backdrops, and of the segmentation maps' labels."""

from dataclasses import dataclass

import numpy as np

Color = tuple[int, int, int]

LABEL_COLORS: dict[str, Color] = {
    "background": (0, 0, 0),
    "hair": (255, 0, 0),
    "face": (16, 78, 139),
    "skin": (144, 238, 144),
    "top": (255, 250, 205),
    "outer": (220, 220, 220),
    "dress": (211, 211, 211),
    "bottom": (250, 235, 215),
    "shoes": (139, 69, 19),
    "accessory": (255, 140, 0),
}
LABELS: tuple[str, ...] = tuple(LABEL_COLORS)


@dataclass(frozen=True)
class Colorway:
    """The colours of one cloth: its ground, and the two that its pattern adds."""

    base: Color
    accent: Color
    second: Color

    def table(self) -> np.ndarray:
        """What each pattern index looks like: (6, 3) uint8.

        Base, accent, second, half base half accent, darker base, lighter base.
        """
        return np.array(
            [
                self.base,
                self.accent,
                self.second,
                mixed(self.base, self.accent, 0.5),
                mixed(self.base, (0, 0, 0), 0.11),
                mixed(self.base, (255, 255, 255), 0.12),
            ],
            dtype=np.uint8,
        )


def mixed(a: Color, b: Color, share: float) -> Color:
    """The colour `share` of the way from `a` to `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


WHITE: Color = (246, 244, 239)
CREAM: Color = (238, 228, 206)
BLACK: Color = (38, 38, 42)
NAVY: Color = (37, 48, 84)

COLORWAYS: tuple[Colorway, ...] = (
    Colorway((198, 52, 56), CREAM, NAVY),
    Colorway(NAVY, WHITE, (214, 74, 66)),
    Colorway(WHITE, NAVY, (207, 68, 66)),
    Colorway((236, 190, 70), (255, 250, 236), (62, 92, 110)),
    Colorway((58, 118, 92), (232, 222, 180), (226, 150, 72)),
    Colorway((233, 150, 160), (255, 240, 238), (150, 52, 82)),
    Colorway(BLACK, (232, 230, 226), (196, 60, 64)),
    Colorway((118, 172, 208), (250, 250, 250), (36, 76, 122)),
    Colorway((128, 92, 156), (226, 208, 236), (244, 190, 90)),
    Colorway((208, 108, 62), (250, 226, 188), (84, 54, 44)),
    Colorway((128, 136, 92), (226, 220, 186), (74, 70, 46)),
    Colorway(CREAM, (176, 110, 74), (72, 106, 98)),
    Colorway((54, 138, 148), (238, 246, 240), (244, 170, 110)),
    Colorway((122, 38, 56), (232, 196, 176), (38, 44, 66)),
    Colorway((150, 154, 160), (248, 248, 248), (58, 62, 74)),
    Colorway((188, 216, 190), (64, 112, 90), (246, 246, 232)),
)
DENIM_WASHES: tuple[Colorway, ...] = (
    Colorway((62, 88, 132), (208, 158, 88), WHITE),
    Colorway((34, 46, 78), (196, 146, 84), WHITE),
    Colorway((132, 164, 196), (236, 214, 170), WHITE),
    Colorway((58, 60, 66), (150, 150, 152), WHITE),
    Colorway((214, 216, 214), (180, 172, 158), WHITE),
)
SUIT_CLOTHS: tuple[Colorway, ...] = (
    Colorway((44, 54, 86), (122, 134, 168), (90, 102, 140)),
    Colorway((72, 76, 84), (142, 146, 152), (104, 108, 116)),
    Colorway((40, 40, 44), (96, 96, 102), (70, 70, 76)),
    Colorway((164, 140, 108), (206, 186, 156), (122, 98, 70)),
    Colorway((90, 44, 56), (150, 104, 112), (60, 30, 40)),
    Colorway((64, 92, 84), (130, 156, 146), (40, 62, 56)),
    Colorway((142, 160, 182), (196, 208, 222), (98, 116, 140)),
)
BASICS: tuple[Color, ...] = ((68, 72, 82), (40, 48, 70), (128, 130, 134), (46, 46, 48))
SHOE_COLORS: tuple[Color, ...] = (
    (240, 238, 232),
    (44, 42, 42),
    (120, 78, 50),
    (176, 60, 54),
    (196, 172, 138),
)
SKIN_TONES: tuple[Color, ...] = (
    (246, 212, 188),
    (232, 188, 156),
    (212, 160, 122),
    (172, 116, 80),
    (128, 84, 58),
    (92, 60, 44),
)
HAIR_COLORS: tuple[Color, ...] = (
    (44, 34, 32),
    (78, 52, 38),
    (126, 82, 50),
    (206, 168, 106),
    (158, 74, 44),
    (96, 94, 98),
)
BACKDROP_COLORS: tuple[Color, ...] = (
    (226, 220, 210),
    (196, 208, 214),
    (214, 196, 184),
    (186, 198, 180),
    (232, 208, 196),
    (150, 164, 176),
    (122, 110, 104),
    (204, 200, 222),
    (238, 226, 182),
    (92, 112, 120),
)
