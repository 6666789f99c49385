"""Draws the demo's catalogue: photos with DeepFashion names and their segmentation maps."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from fashrec_site.demo.garments.backdrops import draw_backdrop
from fashrec_site.demo.garments.canvas import (
    HEIGHT_PX,
    WIDTH_PX,
    Canvas,
    Cloth,
    Framing,
    fold_shades,
)
from fashrec_site.demo.garments.figure import FLOOR_Y, back_hair, bare_body, draw_figure, head
from fashrec_site.demo.garments.labels import write_manifest
from fashrec_site.demo.garments.lower import shoes
from fashrec_site.demo.garments.palette import BASICS, CREAM, SHOE_COLORS, WHITE, Colorway
from fashrec_site.demo.garments.patterns import PATTERNS
from fashrec_site.demo.garments.styles import STYLES, Wearing

JPEG_QUALITY = 88
N_COLORWAYS = 3  # how many products share a design, differing in colour alone
SECOND_PHOTO_EVERY = 6  # one product in so many is photographed twice
BASIC_TOPS = (WHITE, CREAM, (206, 208, 212), (60, 64, 74))


@dataclass(frozen=True)
class DrawnProduct:
    """One product: a design of a category for a gender, in one of its colourways."""

    design: int
    color: int
    gender: str
    category: str
    pattern: str
    colors: Colorway

    @property
    def item_id(self) -> str:
        """As DeepFashion numbers items: the design, then its colour."""
        return f"id_{self.design:08d}-{self.color:02d}"

    def file_stem(self, pose: int, view: str) -> str:
        """The photo's DeepFashion name without its suffix."""
        return f"{self.gender}-{self.category}-{self.item_id}_{pose}_{view}"


def draw_catalogue(
    folder: Path,
    *,
    seed: int,
    n_products: int = 260,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Draw `n_products` products; the number of photos.

    They come into `folder/images`, their maps into `folder/segm`, their titles and prices into
    `folder/manifest.csv`.

    The same seed gives the same files. They are drawn beside `folder`, which appears, or is
    replaced, once all are there. `on_progress` is given how many products are drawn, and of how
    many. Takes about 13 s of one busy core for 260 products.
    """
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in ("images", "segm"):
        (unfinished / name).mkdir(parents=True)
    products = plan_products(seed=seed, n_products=n_products)
    folds = [fold_shades(np.random.default_rng([seed, 4, i])) for i in range(4)]
    photos: list[tuple[DrawnProduct, str, str]] = []
    for index, product in enumerate(products):
        views = [(1, "front")]
        if index % SECOND_PHOTO_EVERY == 0:
            views.append((2, "side") if index % (2 * SECOND_PHOTO_EVERY) else (4, "full"))
        for pose, view in views:
            rng = np.random.default_rng([seed, 3, index, pose])
            canvas = _draw_photo(product, view, seed, rng, folds[len(photos) % len(folds)])
            stem = product.file_stem(pose, view)
            _save(canvas, unfinished, stem)
            photos.append((product, f"{stem}.jpg", view))
        if on_progress is not None:
            on_progress(index + 1, n_products)
    write_manifest(unfinished, photos)
    if folder.exists():
        shutil.rmtree(folder)
    unfinished.rename(folder)
    return len(photos)


def plan_products(*, seed: int, n_products: int) -> list[DrawnProduct]:
    """Which products to draw: categories in turn, each design in several colourways."""
    rng = np.random.default_rng([seed, 1])
    ranges = [(gender, name) for name, style in STYLES.items() for gender in style.genders]
    products: list[DrawnProduct] = []
    design = 0
    while len(products) < n_products:
        gender, category = ranges[design % len(ranges)]
        style = STYLES[category]
        # Patterns in turn too, from another start in each category, so that none is left out.
        turn = design // len(ranges) + design % len(ranges)
        pattern = style.patterns[turn % len(style.patterns)]
        design += 1
        chosen = rng.choice(len(style.colorways), size=N_COLORWAYS, replace=False)
        products += [
            DrawnProduct(design, color, gender, category, pattern, style.colorways[int(i)])
            for color, i in enumerate(chosen, start=1)
        ]
    return products[:n_products]


def _draw_photo(
    product: DrawnProduct, view: str, seed: int, rng: np.random.Generator, folds: np.ndarray
) -> Canvas:
    """A model in the product and in plain basics, before a backdrop."""
    figure = draw_figure(product.gender, rng)
    framing = _framing(view, STYLES[product.category].frame, rng)
    if view == "side":
        figure = replace(figure, gaze=4.0, arms=("down", "down"), stance=2.0)
    canvas = Canvas(draw_backdrop(rng, framing.top_y + FLOOR_Y * framing.scale_y), framing, folds)
    wearing = Wearing(
        figure,
        Cloth(product.colors.table(), _tile(product.pattern, seed, product.design)),
        product.colors,
        basic=BASICS[int(rng.integers(len(BASICS)))],
        basic_top=BASIC_TOPS[int(rng.integers(len(BASIC_TOPS)))],
        rng=np.random.default_rng([seed, 2, product.design]),
    )
    shoe_color = SHOE_COLORS[int(rng.integers(len(SHOE_COLORS)))]
    pieces = [*back_hair(figure), *bare_body(figure), *shoes(figure, shoe_color)]
    for piece in [*pieces, *STYLES[product.category].outfit(wearing), *head(figure)]:
        canvas.paint(piece)
    return canvas


def _framing(view: str, part: str, rng: np.random.Generator) -> Framing:
    """Where the model stands: nearer for the front of half an outfit, turned for the side."""
    center = WIDTH_PX / 2 + rng.uniform(-12, 12)
    if view == "front" and part == "upper":
        scale = rng.uniform(1.42, 1.56)
        return Framing(scale, scale, center, -scale * rng.uniform(14, 20))
    if view == "front" and part == "lower":
        scale = rng.uniform(1.28, 1.34)
        return Framing(1.06 * scale, scale, center, HEIGHT_PX - 10 - FLOOR_Y * scale)
    scale = rng.uniform(0.88, 0.93) if view == "full" else rng.uniform(1.02, 1.06)
    top_y = HEIGHT_PX - 12 - FLOOR_Y * scale
    if view == "side":
        return Framing(-0.74 * scale, scale, center, top_y)
    return Framing(-scale if view == "full" else 1.08 * scale, scale, center, top_y)


@lru_cache(maxsize=2)
def _tile(pattern: str, seed: int, design: int) -> np.ndarray:
    """The design's pattern, worked out once for all its colourways."""
    return PATTERNS[pattern](np.random.default_rng([seed, 5, design]))


def _save(canvas: Canvas, folder: Path, stem: str) -> None:
    photo: Image.Image = canvas.photo()
    photo.save(folder / "images" / f"{stem}.jpg", quality=JPEG_QUALITY)
    canvas.segmentation_map().save(folder / "segm" / f"{stem}_segm.png")
