"""What each category looks like: how its garments are cut, in which cloths, and worn with what.

A style is a function of the wearer and the material that returns the pieces of a whole outfit,
back to front. Its choices come from the design's own generator, so that every colourway and every
photo of a design is cut alike.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fashrec_site.demo.garments.canvas import Cloth, Piece
from fashrec_site.demo.garments.figure import Figure
from fashrec_site.demo.garments.geometry import limb, mirrored, stroke
from fashrec_site.demo.garments.lower import (
    FLARED,
    LOOSE_SHORTS,
    SHORT_SHORTS,
    SKINNY,
    STRAIGHT,
    WIDE,
    jeans_details,
    pleats,
    skirt,
    trousers,
    waistband,
)
from fashrec_site.demo.garments.palette import (
    COLORWAYS,
    CREAM,
    DENIM_WASHES,
    SUIT_CLOTHS,
    WHITE,
    Color,
    Colorway,
    mixed,
)
from fashrec_site.demo.garments.upper import (
    Fit,
    bodice,
    cuffs,
    darker,
    graphic,
    hem_band,
    hood,
    kangaroo_pocket,
    lapels,
    lines,
    neckband,
    open_front,
    placket,
    shirt_collar,
    turtleneck,
)


@dataclass(frozen=True, eq=False)
class Wearing:
    """Who wears a garment, what it is made of, and the neutral basics beside it."""

    figure: Figure
    cloth: Cloth
    colors: Colorway
    basic: Color
    basic_top: Color
    rng: np.random.Generator

    @property
    def plain(self) -> Cloth:
        """The garment's ground colour without its pattern, for ribs and collars."""
        return Cloth.of(self.colors.base)

    def basic_trousers(self) -> list[Piece]:
        """Plain trousers for a garment of the upper body."""
        fit = replace(SKINNY, rise_y=192)
        return trousers(self.figure, fit, Cloth.of(self.basic), self.basic)

    def basic_tee(self, neck: str = "crew") -> list[Piece]:
        """A plain tee for a garment of the lower body, or below an open one."""
        fit = Fit(ease=2, hem_y=200, sleeve=0.3, neck=neck)
        return bodice(self.figure, fit, Cloth.of(self.basic_top))


def tee(w: Wearing) -> list[Piece]:
    """Tees and tanks."""
    sleeve = float(w.rng.choice([0.0, 0.34, 0.34, 0.45]))
    necks = ["crew", "scoop", "v"] if w.figure.gender == "WOMEN" else ["crew", "crew", "v"]
    neck = "scoop" if sleeve == 0 else str(w.rng.choice(necks))
    fit = Fit(ease=float(w.rng.choice([2, 6])), sleeve=sleeve, neck=neck, strap=sleeve == 0)
    garment = bodice(w.figure, fit, w.cloth)
    trim = w.colors.second if w.rng.random() < 0.3 else darker(w.colors.base, 0.14)
    return [*w.basic_trousers(), *garment, *([] if fit.strap else neckband(fit, trim))]


def graphic_tee(w: Wearing) -> list[Piece]:
    """Tees with a print on the chest."""
    fit = Fit(ease=float(w.rng.choice([3, 7])), sleeve=float(w.rng.choice([0.34, 0.42])))
    garment = [*bodice(w.figure, fit, w.cloth), *neckband(fit, darker(w.colors.base, 0.15))]
    return [*w.basic_trousers(), *garment, *graphic(w.colors, w.rng)]


def shirt(w: Wearing) -> list[Piece]:
    """Buttoned shirts, and blouses with a V neck and wide sleeves."""
    edge = darker(w.colors.base, 0.34)
    if w.figure.gender == "WOMEN" and w.rng.random() < 0.45:
        wide = Fit(ease=6, hem_y=216, sleeve=float(w.rng.choice([0.55, 0.92])), neck="v", flare=4)
        wide = replace(wide, cuff_half_width=float(w.rng.choice([9, 17])))
        return [*w.basic_trousers(), *bodice(w.figure, wide, w.cloth), *neckband(wide, edge)]
    fit = Fit(ease=5, hem_y=224, sleeve=float(w.rng.choice([0.36, 0.95])), neck="collar")
    fit = replace(fit, cuff_half_width=8.0 if fit.sleeve > 0.5 else 12.5)
    trim = mixed(w.colors.base, WHITE, 0.25)
    band = cuffs(w.figure, fit, trim, "top") if fit.sleeve > 0.5 else []
    garment = [*bodice(w.figure, fit, w.cloth), *band, *placket(edge, 118, 224, 6)]
    return [*w.basic_trousers(), *garment, *shirt_collar(trim)]


def shirt_or_polo(w: Wearing) -> list[Piece]:
    """Men's shirts, and polos with a short placket."""
    if w.rng.random() < 0.5:
        return shirt(w)
    fit = Fit(ease=3, hem_y=220, sleeve=0.36, neck="collar", cuff_half_width=11.5)
    trim = w.colors.accent if w.rng.random() < 0.5 else darker(w.colors.base, 0.2)
    garment = [*bodice(w.figure, fit, w.cloth), *cuffs(w.figure, fit, trim, "top")]
    buttons = placket(darker(w.colors.base, 0.4), 114, 144, 3)
    return [*w.basic_trousers(), *garment, *buttons, *shirt_collar(trim)]


def sweater(w: Wearing) -> list[Piece]:
    """Knitted pullovers."""
    neck = str(w.rng.choice(["crew", "v", "boat", "turtle"]))
    fit = Fit(
        ease=float(w.rng.choice([6, 10])),
        hem_y=float(w.rng.choice([212, 222])),
        sleeve=0.98,
        sleeve_half_width=14,
        neck="crew" if neck == "turtle" else neck,
    )
    rib = darker(w.colors.base, 0.16)
    bands = [*cuffs(w.figure, fit, rib, "top"), *hem_band(w.figure, fit, rib, "top")]
    collar = turtleneck(w.plain) if neck == "turtle" else neckband(fit, rib)
    return [*w.basic_trousers(), *bodice(w.figure, fit, w.cloth), *bands, *collar]


def cardigan(w: Wearing) -> list[Piece]:
    """Knitted cardigans, worn open or buttoned."""
    edge = darker(w.colors.base, 0.22)
    hem_y = float(w.rng.choice([218, 226, 282]))
    fit = Fit(ease=6, hem_y=hem_y, sleeve=0.96, sleeve_half_width=13, neck="deep_v")
    below = [*w.basic_trousers(), *w.basic_tee()]
    if hem_y < 280 and w.rng.random() < 0.5:
        buttons = placket(darker(w.colors.base, 0.5), 152, hem_y, 4, "outer")
        garment = [
            *bodice(w.figure, fit, w.cloth, "outer"),
            *neckband(fit, edge, "outer"),
            *buttons,
        ]
    else:
        garment = open_front(w.figure, fit, w.cloth, gap=float(w.rng.choice([8, 12])))
    return [*below, *garment, *cuffs(w.figure, fit, edge, "outer")]


def hoodie(w: Wearing) -> list[Piece]:
    """Sweatshirts, with or without a hood."""
    fit = Fit(ease=8, hem_y=220, sleeve=0.97, sleeve_half_width=14.5)
    rib = darker(w.colors.base, 0.2)
    bands = [*cuffs(w.figure, fit, rib, "top"), *hem_band(w.figure, fit, rib, "top")]
    garment = [*w.basic_trousers(), *bodice(w.figure, fit, w.cloth), *bands]
    if w.rng.random() < 0.65:
        pocket = kangaroo_pocket(mixed(w.colors.base, w.colors.accent, 0.2))
        return [*garment, *hood(w.plain), *pocket]
    print_ = graphic(w.colors, w.rng) if w.rng.random() < 0.4 else []
    return [*garment, *neckband(fit, rib), *print_]


def jacket(w: Wearing) -> list[Piece]:
    """Bombers, biker jackets and coats."""
    kind = str(w.rng.choice(["bomber", "coat", "trucker"]))
    edge = darker(w.colors.base, 0.34)
    hem_y = {"bomber": 212.0, "coat": 318.0, "trucker": 206.0}[kind]
    flare = 8.0 if kind == "coat" else 0.0
    fit = Fit(ease=7, hem_y=hem_y, sleeve=0.98, sleeve_half_width=14, flare=flare, neck="deep_v")
    garment = [*w.basic_trousers(), *w.basic_tee()]
    if kind == "coat":
        garment += bodice(w.figure, fit, w.cloth, "outer")
        garment += placket(edge, 150, hem_y, 5, "outer")
        garment += lapels(darker(w.colors.base, 0.16), 152, 27)
        return garment + lines([[(14, 226), (30, 222)]], edge, "outer")
    garment += open_front(w.figure, fit, w.cloth, gap=6)
    rib = w.colors.accent if kind == "bomber" else edge
    garment += cuffs(w.figure, fit, rib, "outer")
    if kind == "trucker":
        garment += shirt_collar(darker(w.colors.base, 0.2), "outer")
        return garment + lines([[(12, 140), (30, 140)], [(16, 142), (14, 200)]], edge, "outer")
    return garment + lines([[(16, 186), (26, 176)], [(6, 120), (7, 208)]], edge, "outer")


def vest(w: Wearing) -> list[Piece]:
    """Quilted vests over a plain long-sleeved tee."""
    below = bodice(w.figure, Fit(ease=3, hem_y=214, sleeve=0.96), Cloth.of(w.basic_top))
    fit = Fit(ease=6, hem_y=218, neck="v")
    edge = darker(w.colors.base, 0.32)
    step = int(w.rng.choice([14, 20]))
    quilting = [[(1.0, float(y)), (w.figure.waist + 4, float(y))] for y in range(136, 214, step)]
    garment = [*bodice(w.figure, fit, w.cloth, "outer"), *lines(quilting, edge, "outer")]
    zipper = Piece("outer", Cloth.of(WHITE), [stroke([(0, 128), (0, 218)], 1.6)], shaded=False)
    collar = mirrored([(10, 92), (16, 104), (5, 124), (2, 126)])
    lining = [Piece("outer", Cloth.of(edge), [collar], [mirrored([(7, 90), (1, 122)])])]
    return [*w.basic_trousers(), *below, *garment, zipper, *lining]


def suit(w: Wearing) -> list[Piece]:
    """A blazer and trousers of one cloth over a shirt, with a tie for men."""
    edge = darker(w.colors.base, 0.36)
    legs = trousers(w.figure, STRAIGHT, w.cloth, w.colors.base)
    inner = bodice(w.figure, Fit(ease=1, hem_y=206, neck="collar"), Cloth.of(WHITE))
    fit = Fit(ease=5, hem_y=238, sleeve=0.97, sleeve_half_width=13, neck="deep_v", flare=1)
    fit = replace(fit, cuff_half_width=9)
    tie: list[Piece] = []
    if w.figure.gender == "MEN":
        tie_color = COLORWAYS[int(w.rng.integers(len(COLORWAYS)))].base
        knot = [mirrored([(3.4, 112), (2, 119), (4.6, 150), (0, 160)])]
        tie = [Piece("accessory", Cloth.of(tie_color), knot)]
    blazer = bodice(w.figure, fit, w.cloth, "outer")
    details = [
        *lapels(darker(w.colors.base, 0.14), 152, 26),
        *placket(edge, 160, 238, 2, "outer"),
        *lines([[(14, 206), (28, 204)]], edge, "outer"),
    ]
    return [*legs, *inner, *shirt_collar(WHITE), *tie, *blazer, *details]


def pants(w: Wearing) -> list[Piece]:
    """Trousers: straight, wide, flared or slim."""
    fits = [STRAIGHT, WIDE, FLARED] if w.figure.gender == "WOMEN" else [STRAIGHT, SKINNY]
    fit = fits[int(w.rng.integers(len(fits)))]
    legs = trousers(w.figure, fit, w.cloth, w.colors.base)
    return [*w.basic_tee(), *legs, *waistband(w.figure, fit.rise_y, darker(w.colors.base, 0.2))]


def leggings(w: Wearing) -> list[Piece]:
    """Leggings, long or cropped, now and then with a stripe down the side."""
    fit = replace(SKINNY, thigh=18.2, knee=11.8, hem=7.4, length=float(w.rng.choice([1.0, 0.82])))
    garment = trousers(w.figure, fit, w.cloth, w.colors.base)
    if w.rng.random() < 0.4:
        stripes = [
            limb(w.figure.leg(side)[1:] + np.array([side * 8, 0]), [2, 1.5]) for side in (-1, 1)
        ]
        garment.append(Piece("bottom", Cloth.of(w.colors.accent), stripes, shaded=False))
    return [*w.basic_tee("scoop"), *garment]


def jeans(w: Wearing) -> list[Piece]:
    """Denim trousers with stitched pockets, sometimes turned up or ripped at the knee."""
    women = w.figure.gender == "WOMEN"
    fits = [SKINNY, STRAIGHT, FLARED] if women else [SKINNY, STRAIGHT]
    fit = replace(fits[int(w.rng.integers(len(fits)))], length=float(w.rng.choice([1.0, 0.93])))
    garment = trousers(w.figure, fit, w.cloth, w.colors.base)
    garment += waistband(w.figure, fit.rise_y, darker(w.colors.base, 0.2))
    garment += jeans_details(w.figure, fit, w.colors.accent)
    if w.rng.random() < 0.3:
        knees = [w.figure.leg(side)[1] for side in (-1, 1)]
        rips = [stroke([(x - 7, y), (x + 6, y - 2)], 4) for x, y in knees]
        garment.append(Piece("skin", Cloth.of(w.figure.skin), rips, shaded=False))
    return [*w.basic_tee(), *garment]


def shorts(w: Wearing) -> list[Piece]:
    """Shorts: short for women, to the knee for men."""
    fit = SHORT_SHORTS if w.figure.gender == "WOMEN" else LOOSE_SHORTS
    fit = replace(fit, length=fit.length + float(w.rng.choice([0.0, 0.07])))
    garment = trousers(w.figure, fit, w.cloth, w.colors.base)
    band = waistband(w.figure, fit.rise_y, darker(w.colors.base, 0.18))
    cords = [stroke([(side * 3, 188), (side * 4, 204)], 1.5) for side in (-1, 1)]
    tie = [Piece("bottom", Cloth.of(CREAM), cords, shaded=False)] if w.rng.random() < 0.5 else []
    return [*w.basic_tee(), *garment, *band, *tie]


def skirt_outfit(w: Wearing) -> list[Piece]:
    """Skirts: pencil, A-line, pleated, long."""
    kind = str(w.rng.choice(["pencil", "a_line", "pleated", "maxi"]))
    hem_y, half_width = {
        "pencil": (312.0, 35.0),
        "a_line": (282.0, 62.0),
        "pleated": (298.0, 66.0),
        "maxi": (396.0, 60.0),
    }[kind]
    garment = skirt(w.figure, w.cloth, hem_y=hem_y, hem_half_width=half_width)
    if kind in ("pleated", "maxi"):
        garment += pleats(
            w.figure,
            darker(w.colors.base, 0.2),
            hem_y=hem_y,
            hem_half_width=half_width,
            n_pleats=11 if kind == "pleated" else 6,
            label="bottom",
        )
    band = mirrored([(w.figure.waist + 3, 171), (w.figure.waist + 4.5, 180)])
    belt = Piece("bottom", Cloth.of(darker(w.colors.base, 0.25)), [band], shaded=False)
    return [*w.basic_tee("scoop"), *garment, belt]


def dress(w: Wearing) -> list[Piece]:
    """Dresses: straight, A-line, long; with straps, short or long sleeves."""
    hem_y, half_width = ((298.0, 38.0), (292.0, 66.0), (400.0, 58.0))[int(w.rng.integers(3))]
    sleeve = float(w.rng.choice([0.0, 0.0, 0.3, 0.9]))
    neck = str(w.rng.choice(["v", "scoop", "boat"])) if sleeve else "scoop"
    fit = Fit(ease=2, hem_y=180, sleeve=sleeve, neck=neck, strap=sleeve == 0)
    upper = bodice(w.figure, fit, w.cloth, "dress")
    lower = skirt(
        w.figure, w.cloth, hem_y=hem_y, hem_half_width=half_width, waist_y=170, label="dress"
    )
    garment = [*upper, *lower]
    if w.rng.random() < 0.5:
        belt = mirrored([(w.figure.waist + 3.5, 171), (w.figure.waist + 4.2, 178)])
        garment.append(Piece("dress", Cloth.of(w.colors.second), [belt], shaded=False))
    if half_width > 50:
        garment += pleats(
            w.figure,
            darker(w.colors.base, 0.16),
            hem_y=hem_y,
            hem_half_width=half_width,
            n_pleats=5,
            label="dress",
        )
    return garment


def romper(w: Wearing) -> list[Piece]:
    """Rompers and jumpsuits: a bodice and legs of one cloth."""
    sleeve = float(w.rng.choice([0.0, 0.3]))
    neck = "scoop" if sleeve == 0 else str(w.rng.choice(["v", "boat"]))
    fit = Fit(ease=2.5, hem_y=190, sleeve=sleeve, neck=neck, strap=sleeve == 0)
    legs = (SHORT_SHORTS, WIDE, SKINNY)[int(w.rng.integers(3))]
    lower = trousers(w.figure, legs, w.cloth, w.colors.base, "dress")
    belt = mirrored([(w.figure.waist + 4, 174), (w.figure.waist + 5, 181)])
    sash = Piece("dress", Cloth.of(darker(w.colors.base, 0.3)), [belt], shaded=False)
    return [*lower, *bodice(w.figure, fit, w.cloth, "dress"), sash]


@dataclass(frozen=True)
class Style:
    """How a category is cut, in which patterns and colours, and for whom."""

    outfit: Callable[[Wearing], list[Piece]]
    patterns: tuple[str, ...]
    colorways: tuple[Colorway, ...] = COLORWAYS
    genders: tuple[str, ...] = ("WOMEN", "MEN")
    frame: str = "full"  # which part of the body a front photo shows


_SHIRTINGS = ("plain", "vertical_stripes", "gingham", "plaid", "dots", "floral")
_KNITS = ("ribs", "cables", "argyle", "stripes", "heather", "zigzag")
_PRINTS = ("plain", "floral", "dots", "stripes", "gingham", "zigzag", "blobs", "colorblock")
_WOMEN = ("WOMEN",)

STYLES: dict[str, Style] = {
    "Tees_Tanks": Style(tee, ("plain", "stripes", "heather", "dots", "blobs"), frame="upper"),
    "Blouses_Shirts": Style(shirt, _SHIRTINGS, genders=_WOMEN, frame="upper"),
    "Graphic_Tees": Style(graphic_tee, ("plain", "heather"), frame="upper"),
    "Shirts_Polos": Style(shirt_or_polo, (*_SHIRTINGS, "stripes"), genders=("MEN",), frame="upper"),
    "Shorts": Style(
        shorts, ("plain", "floral", "vertical_stripes", "plaid", "blobs"), frame="lower"
    ),
    "Pants": Style(
        pants, ("plain", "heather", "plaid", "pinstripes", "vertical_stripes"), frame="lower"
    ),
    "Leggings": Style(
        leggings, ("plain", "blobs", "zigzag", "floral"), genders=_WOMEN, frame="lower"
    ),
    "Denim": Style(jeans, ("denim",), colorways=DENIM_WASHES, frame="lower"),
    "Jackets_Coats": Style(jacket, ("plain", "plaid", "heather", "blobs"), frame="upper"),
    "Jackets_Vests": Style(vest, ("plain", "heather", "blobs"), genders=("MEN",), frame="upper"),
    "Dresses": Style(dress, _PRINTS, genders=_WOMEN),
    "Skirts": Style(skirt_outfit, _PRINTS, genders=_WOMEN, frame="lower"),
    "Rompers_Jumpsuits": Style(romper, _PRINTS, genders=_WOMEN),
    "Sweaters": Style(sweater, _KNITS, frame="upper"),
    "Cardigans": Style(cardigan, ("ribs", "cables", "heather", "stripes"), frame="upper"),
    "Sweatshirts_Hoodies": Style(hoodie, ("plain", "heather", "colorblock"), frame="upper"),
    "Suiting": Style(suit, ("plain", "pinstripes", "heather"), colorways=SUIT_CLOTHS),
}
