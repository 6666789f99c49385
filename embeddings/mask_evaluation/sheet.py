"""A sheet of photos with the map's mask and a found one beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

CELL = (150, 210)  # pixels of one picture
CAPTION_HEIGHT = 16
PAIRS_PER_ROW = 5
TINT = np.array([255, 0, 110], dtype=np.float32)  # of what is not garment


@dataclass(frozen=True)
class Case:
    """A photo, its (height, width) bool masks, and what stands under it."""

    photo: np.ndarray
    shown: np.ndarray
    found: np.ndarray
    caption: str


def draw_sheet(cases: Sequence[Case], path: Path) -> None:
    """Write the cases as a picture: left of each pair as its map has it, right as it was found."""
    n_rows = -(-len(cases) // PAIRS_PER_ROW)
    width, height = 2 * CELL[0] + 8, CELL[1] + CAPTION_HEIGHT
    sheet = Image.new("RGB", (PAIRS_PER_ROW * width, n_rows * height), "white")
    pen = ImageDraw.Draw(sheet)
    for position, case in enumerate(cases):
        row, column = divmod(position, PAIRS_PER_ROW)
        left, top = column * width, row * height
        for offset, mask in ((0, case.shown), (CELL[0], case.found)):
            cell = ImageOps.contain(Image.fromarray(_tinted(case.photo, mask)), CELL)
            sheet.paste(cell, (left + offset, top))
        pen.text((left + 2, top + CELL[1] + 1), case.caption, fill="black")
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _tinted(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    tinted = 0.35 * photo + 0.65 * TINT
    return np.where(mask[..., None], photo, tinted.astype(np.uint8))
