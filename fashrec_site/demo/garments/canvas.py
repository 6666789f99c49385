"""Painting pieces, back to front, on a photo and its segmentation map at once."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from fashrec_site.demo.garments.palette import LABEL_COLORS, LABELS, Color

WIDTH_PX, HEIGHT_PX = 300, 450
SUPERSAMPLING = 2
ROUNDNESS_PX = 9  # how far from its edge a piece of cloth still looks turned away from the light

FULL_LIGHT = 180  # a shade that leaves a colour as it is; up to 255 is brighter

# What a blurred mask's value, half its range at an edge, means for the light: (256,) uint8.
_depth = np.clip((np.arange(256, dtype=np.float32) / 255 - 0.45) / 0.5, 0, 1)
_SHADE_OF_BLURRED = (FULL_LIGHT * (0.72 + 0.28 * _depth * (2 - _depth))).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Cloth:
    """A pattern's index tile and what each index looks like; without a tile, one plain colour."""

    table: np.ndarray  # (n_colors, 3) uint8
    tile: np.ndarray | None = None

    @classmethod
    def of(cls, color: Color) -> "Cloth":
        """A cloth of one colour."""
        return cls(np.array([color], dtype=np.uint8))


@dataclass(frozen=True, eq=False)
class Piece:
    """Outlines that are painted as one, less its cuts, in the body's units."""

    label: str
    cloth: Cloth
    outlines: list[np.ndarray]
    cuts: list[np.ndarray] = field(default_factory=list)
    shaded: bool = True


@dataclass(frozen=True)
class Framing:
    """Where the body stands in the photo, in pixels of the photo per unit of the body."""

    scale_x: float = 1.0
    scale_y: float = 1.0
    center_x: float = WIDTH_PX / 2
    top_y: float = 0.0

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """Body units to supersampled pixels."""
        scaled = points * (self.scale_x, self.scale_y) + (self.center_x, self.top_y)
        return scaled * SUPERSAMPLING

    def tile_rows_and_columns(
        self, box: tuple[int, int, int, int], shape: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which rows and columns of a tile lie under a box of supersampled pixels."""
        left, top, right, bottom = box
        rows = (np.arange(top, bottom) - self.top_y * SUPERSAMPLING) / self.scale_y
        columns = (np.arange(left, right) - self.center_x * SUPERSAMPLING) / self.scale_x
        # A half tile to the right: a pattern's seam never runs down the middle of a body.
        columns = columns + shape[1] // 2
        return rows.astype(np.int64) % shape[0], columns.astype(np.int64) % shape[1]


class Canvas:
    """A supersampled photo and, for each of its pixels, a label."""

    def __init__(self, backdrop: Image.Image, framing: Framing, folds: np.ndarray) -> None:
        self._pixels = np.array(backdrop)  # (height, width, 3) uint8
        self._labels = np.zeros(self._pixels.shape[:2], dtype=np.uint8)
        self._framing = framing
        self._folds = folds

    def paint(self, piece: Piece) -> None:
        """Paint `piece` over what is there."""
        outlines = [self._framing.to_pixels(outline) for outline in piece.outlines]
        box = self._box(outlines)
        if box is None:
            return
        left, top, right, bottom = box
        mask = _fill(box, outlines, [self._framing.to_pixels(cut) for cut in piece.cuts])
        colors = self._colors(piece.cloth, box)
        if piece.shaded:
            folds = self._folds[top:bottom, left:right]
            shade = cv2.multiply(_roundness(mask), folds, scale=1 / FULL_LIGHT)
            colors = cv2.multiply(colors, cv2.merge([shade] * 3), scale=1 / FULL_LIGHT)
        inside = np.asarray(mask)
        cv2.copyTo(colors, inside, self._pixels[top:bottom, left:right])
        self._labels[top:bottom, left:right][inside > 0] = LABELS.index(piece.label)

    def photo(self) -> Image.Image:
        """The photo, reduced to its final size."""
        return Image.fromarray(self._pixels).reduce(SUPERSAMPLING)

    def segmentation_map(self) -> Image.Image:
        """The labels' colours, one supersampled pixel for each of the photo's: nothing is mixed.

        In palette mode, as many published maps are.
        """
        labels = self._labels[::SUPERSAMPLING, ::SUPERSAMPLING]
        segmentation_map = Image.fromarray(labels).convert("P")
        segmentation_map.putpalette(np.array(list(LABEL_COLORS.values()), dtype=np.uint8).tobytes())
        return segmentation_map

    def _box(self, outlines: list[np.ndarray]) -> tuple[int, int, int, int] | None:
        points = np.vstack(outlines)
        height, width = self._labels.shape
        left, top = np.clip(np.floor(points.min(axis=0)).astype(int), 0, (width, height)).tolist()
        right, bottom = np.clip(
            np.ceil(points.max(axis=0)).astype(int) + 1, 0, (width, height)
        ).tolist()
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _colors(self, cloth: Cloth, box: tuple[int, int, int, int]) -> np.ndarray:
        left, top, right, bottom = box
        if cloth.tile is None:
            return np.full((bottom - top, right - left, 3), cloth.table[0])
        rows, columns = self._framing.tile_rows_and_columns(box, cloth.tile.shape)
        indices = cloth.tile[rows][:, columns]
        return np.take(cloth.table, indices, axis=0)


def fold_shades(rng: np.random.Generator) -> np.ndarray:
    """Soft vertical folds under light from the left: (height, width) uint8 around FULL_LIGHT."""
    shape = (HEIGHT_PX * SUPERSAMPLING, WIDTH_PX * SUPERSAMPLING)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    bend = 30 * np.sin(y / rng.uniform(70, 120) + rng.uniform(0, 6))
    waves = np.sin((x + bend) / rng.uniform(9, 13)) + np.sin((x - bend) / 23 + y / 60)
    light = 1.02 + 0.028 * waves - 0.16 * (x / shape[1] - 0.5)
    return (FULL_LIGHT * light).astype(np.uint8)


def _fill(
    box: tuple[int, int, int, int], outlines: list[np.ndarray], cuts: list[np.ndarray]
) -> Image.Image:
    left, top, right, bottom = box
    mask = Image.new("L", (right - left, bottom - top), 0)
    draw = ImageDraw.Draw(mask)
    for value, polygons in ((255, outlines), (0, cuts)):
        for polygon in polygons:
            draw.polygon([(x - left, y - top) for x, y in polygon.tolist()], fill=value)
    return mask


def _roundness(mask: Image.Image) -> np.ndarray:
    """Darker towards the edges: (height, width) uint8 from 0.72 to 1 times FULL_LIGHT."""
    blurred = mask.filter(ImageFilter.GaussianBlur(ROUNDNESS_PX))
    return _SHADE_OF_BLURRED[np.asarray(blurred)]
