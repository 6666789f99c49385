"""The paper's Figures 2 and 3 as contact sheets of the catalogue's own photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from catalog.models import ProductImage
from embeddings.mask_settings import current_mask_settings
from embeddings.masks import MaskError, masked_photo
from embeddings.photos import PhotoError, read_photo, read_segmentation_map

CELL_WIDTH, CELL_HEIGHT = 1.7, 2.3  # inches; photos of garments are upright
CAPTION_HEIGHT = 0.5
CELL_PIXELS = (360, 480)  # no photo is drawn larger
DPI = 130
BACKGROUND = "#f2f2f2"


@dataclass(frozen=True)
class Cell:
    """A photo with what stands under it; without a photo, the reason."""

    photo: Image.Image | None
    caption: str


def draw_masks(images: Sequence[ProductImage], path: Path) -> None:
    """Figure 2: for each product its photo, its segmentation map, and what the backbone sees."""
    columns = [_mask_column(image) for image in images]
    rows = [[column[row] for column in columns] for row in range(3)]
    draw_sheet(rows, ["photo", "segmentation map", "masked photo"], path)


def draw_neighbours(
    bought: ProductImage, rows: dict[str, list[tuple[ProductImage, float]]], path: Path
) -> None:
    """Figure 3: one purchase, and under each backbone what is recommended for it.

    Args:
        bought: the primary photo of the purchase.
        rows: per backbone the recommended products' photos with their relevance, best first.
        path: the PNG.
    """
    first = Cell(_photo(bought), f"bought\n{_caption(bought)}")
    cells = [
        [first]
        + [Cell(_photo(image), f"{relevance:.3f}\n{_caption(image)}") for image, relevance in row]
        for row in rows.values()
    ]
    draw_sheet(cells, list(rows), path)


def _mask_column(image: ProductImage) -> list[Cell]:
    photo = _photo(image)
    try:
        with image.segmentation_map.open("rb") as file:
            segmentation_map = read_segmentation_map(file)
        masked = photo and masked_photo(photo, segmentation_map, current_mask_settings())
    except (MaskError, PhotoError, OSError) as error:
        return [Cell(photo, _caption(image)), Cell(None, ""), Cell(None, str(error))]
    return [
        Cell(photo, _caption(image)),
        Cell(segmentation_map.convert("RGB"), ""),
        Cell(masked, ""),
    ]


def _photo(image: ProductImage) -> Image.Image | None:
    if not image.image:
        return None
    try:
        with image.image.open("rb") as file:
            return read_photo(file)
    except (PhotoError, OSError):
        return None


def _caption(image: ProductImage) -> str:
    product = image.product
    category, item_id = printable(product.category.name), printable(product.item_id)
    return f"{category}\n{product.gender.lower()} {item_id}"


def printable(text: str) -> str:
    """At most 22 characters, those that the chart's font lacks as question marks."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    return text if len(text) <= 22 else f"{text[:21]}..."


def draw_sheet(rows: Sequence[Sequence[Cell]], labels: Sequence[str], path: Path) -> None:
    """Rows of cells with a label before each; rows may be of different lengths."""
    n_columns = max(len(row) for row in rows)
    size = (CELL_WIDTH * n_columns + 0.4, (CELL_HEIGHT + CAPTION_HEIGHT) * len(rows))
    sheet = Figure(figsize=size, layout="constrained")
    panels = sheet.subplots(len(rows), n_columns, squeeze=False)
    for row, label, line in zip(rows, labels, panels, strict=True):
        for cell, panel in zip(row, line, strict=False):
            _draw_cell(panel, cell)
        for panel in line[len(row) :]:
            panel.set_visible(False)
        line[0].set_ylabel(label, fontsize=9)
    sheet.savefig(path, dpi=DPI)


def _draw_cell(panel: Axes, cell: Cell) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.set_facecolor(BACKGROUND)
    for spine in panel.spines.values():
        spine.set_color("#cccccc")
    panel.set_xlabel(cell.caption, fontsize=7)
    if cell.photo is None:
        panel.text(0.5, 0.5, "no picture", ha="center", va="center", transform=panel.transAxes)
    else:
        panel.imshow(np.asarray(ImageOps.contain(cell.photo.convert("RGB"), CELL_PIXELS)))
