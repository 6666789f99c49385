"""Backdrops that look photographed: studio gradients, rooms, and streets out of focus."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from fashrec_site.demo.garments.canvas import HEIGHT_PX, SUPERSAMPLING, WIDTH_PX
from fashrec_site.demo.garments.palette import BACKDROP_COLORS, Color, mixed

SIZE = (WIDTH_PX * SUPERSAMPLING, HEIGHT_PX * SUPERSAMPLING)
# Drawn small and enlarged: out of focus, and eight times less to draw each way.
SMALL = (SIZE[0] // 8, SIZE[1] // 8)


def draw_backdrop(rng: np.random.Generator, floor_y: float) -> Image.Image:
    """A backdrop of the supersampled size; `floor_y` is where feet stand, in photo pixels."""
    kinds = (studio, room, bokeh, street)
    kind = kinds[int(rng.choice(len(kinds), p=[0.3, 0.3, 0.2, 0.2]))]
    backdrop = kind(rng, floor_y * SUPERSAMPLING / 8)
    return backdrop.resize(SIZE, Image.Resampling.BILINEAR)


def studio(rng: np.random.Generator, floor_y: float) -> Image.Image:
    """A lit paper roll: lighter in the middle, darker at the corners, a shadow at the feet."""
    y, x = np.mgrid[0 : SMALL[1], 0 : SMALL[0]].astype(np.float32)
    lit_x = SMALL[0] * rng.uniform(0.3, 0.7)
    distance = np.hypot((x - lit_x) / SMALL[0], (y - SMALL[1] * 0.4) / SMALL[1])
    light = 1.08 - 0.42 * distance**1.5
    colors = np.array(_color(rng), dtype=np.float32) * light[..., None]
    image = Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))
    return _with_shadow(image, floor_y)


def room(rng: np.random.Generator, floor_y: float) -> Image.Image:
    """A wall, a skirting board and a floor, with a picture or a plant now and then."""
    wall, floor = _color(rng), mixed(_color(rng), (110, 84, 62), 0.55)
    image = Image.new("RGB", SMALL, wall)
    draw = ImageDraw.Draw(image)
    line = floor_y - rng.uniform(2, 7)
    for row in range(SMALL[1]):
        shade = mixed(wall, (0, 0, 0), 0.16 * row / SMALL[1])
        draw.line([(0, row), (SMALL[0], row)], fill=shade)
    if rng.random() < 0.5:
        left, top = rng.uniform(2, 50), rng.uniform(8, 30)
        draw.rectangle([left, top, left + 18, top + 24], fill=_color(rng))
        draw.rectangle([left + 3, top + 3, left + 15, top + 21], fill=mixed(_color(rng), wall, 0.3))
    if rng.random() < 0.5:
        _plant(draw, rng, rng.choice([7.0, SMALL[0] - 7.0]), line)
    draw.rectangle([0, line - 3, SMALL[0], line], fill=mixed(wall, (255, 255, 255), 0.5))
    draw.rectangle([0, line, SMALL[0], max(line, SMALL[1])], fill=floor)
    return _with_shadow(image.filter(ImageFilter.GaussianBlur(0.4)), floor_y)


def bokeh(rng: np.random.Generator, floor_y: float) -> Image.Image:
    """Discs of light out of focus."""
    ground = mixed(_color(rng), (40, 60, 60), rng.uniform(0.2, 0.6))
    image = Image.new("RGB", SMALL, ground)
    draw = ImageDraw.Draw(image)
    for _ in range(26):
        x, y = rng.uniform(0, SMALL[0]), rng.uniform(0, SMALL[1])
        radius = rng.uniform(3, 10)
        light = mixed(ground, _color(rng), rng.uniform(0.25, 0.8))
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=light)
    return image.filter(ImageFilter.GaussianBlur(1.6))


def street(rng: np.random.Generator, floor_y: float) -> Image.Image:
    """Sky, house fronts with windows and a pavement, out of focus."""
    image = Image.new("RGB", SMALL, (206, 220, 232))
    draw = ImageDraw.Draw(image)
    left = -4.0
    while left < SMALL[0]:
        right = left + rng.uniform(14, 30)
        front, top = mixed(_color(rng), (150, 120, 100), 0.35), rng.uniform(0, 34)
        draw.rectangle([left, top, right, SMALL[1]], fill=front)
        for y in np.arange(top + 4, floor_y - 14, 12):
            for x in np.arange(left + 3, right - 4, 8):
                draw.rectangle([x, y, x + 3.5, y + 6], fill=mixed(front, (60, 76, 96), 0.6))
        left = right
    pavement = mixed(_color(rng), (128, 128, 128), 0.6)
    draw.rectangle([0, floor_y - 6, SMALL[0], max(floor_y, SMALL[1])], fill=pavement)
    return _with_shadow(image.filter(ImageFilter.GaussianBlur(1.0)), floor_y)


def _color(rng: np.random.Generator) -> Color:
    return BACKDROP_COLORS[int(rng.integers(len(BACKDROP_COLORS)))]


def _plant(draw: ImageDraw.ImageDraw, rng: np.random.Generator, x: float, floor_y: float) -> None:
    for angle in np.linspace(-1.1, 1.1, 7):
        tip = (x + 15 * np.sin(angle), floor_y - 12 - 22 * np.cos(angle))
        green = mixed((62, 110, 74), (150, 176, 96), float(rng.uniform(0, 0.7)))
        draw.line([(x, floor_y - 10), tip], fill=green, width=3)
    draw.rectangle([x - 5, floor_y - 11, x + 5, floor_y + 1], fill=(196, 124, 88))


def _with_shadow(image: Image.Image, floor_y: float) -> Image.Image:
    """`image` with a soft shadow where feet stand."""
    shadow = Image.new("L", image.size, 0)
    box = [SMALL[0] * 0.24, floor_y - 2.5, SMALL[0] * 0.8, floor_y + 3]
    ImageDraw.Draw(shadow).ellipse(box, fill=110)
    dark = image.point(lambda value: value * 0.45)
    return Image.composite(dark, image, shadow.filter(ImageFilter.GaussianBlur(1.5)))
