"""What a drawn product is called and what it costs: the manifest beside its photos."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from fashrec_site.demo.garments.palette import Color

if TYPE_CHECKING:
    from fashrec_site.demo.garments.catalogue import DrawnProduct

COLUMNS = ("item_id", "image", "view", "gender", "category", "title", "color", "price")
COLORS: dict[str, Color] = {
    "White": (244, 242, 236),
    "Cream": (238, 228, 206),
    "Black": (40, 40, 44),
    "Charcoal": (66, 70, 78),
    "Grey": (150, 154, 160),
    "Navy": (40, 52, 86),
    "Blue": (62, 92, 140),
    "Light blue": (126, 168, 202),
    "Teal": (54, 138, 148),
    "Green": (58, 118, 92),
    "Mint": (188, 216, 190),
    "Olive": (128, 136, 92),
    "Yellow": (236, 190, 70),
    "Orange": (208, 108, 62),
    "Tan": (164, 140, 108),
    "Red": (198, 52, 56),
    "Burgundy": (112, 40, 56),
    "Pink": (233, 150, 160),
    "Purple": (128, 92, 156),
}
PATTERNS = {
    "heather": "heather",
    "stripes": "striped",
    "vertical_stripes": "striped",
    "pinstripes": "pinstriped",
    "gingham": "gingham",
    "plaid": "plaid",
    "dots": "dotted",
    "floral": "floral",
    "ribs": "ribbed",
    "cables": "cable-knit",
    "argyle": "argyle",
    "zigzag": "zigzag",
    "blobs": "printed",
    "colorblock": "colour-block",
}
GARMENTS: dict[str, tuple[str, int]] = {  # what one is called, and the least that it costs
    "Tees_Tanks": ("tee", 15),
    "Blouses_Shirts": ("blouse", 35),
    "Graphic_Tees": ("graphic tee", 19),
    "Shirts_Polos": ("shirt", 35),
    "Shorts": ("shorts", 25),
    "Pants": ("trousers", 45),
    "Leggings": ("leggings", 19),
    "Denim": ("jeans", 59),
    "Jackets_Coats": ("coat", 89),
    "Jackets_Vests": ("vest", 49),
    "Dresses": ("dress", 55),
    "Skirts": ("skirt", 39),
    "Rompers_Jumpsuits": ("jumpsuit", 59),
    "Sweaters": ("sweater", 45),
    "Cardigans": ("cardigan", 49),
    "Sweatshirts_Hoodies": ("hoodie", 39),
    "Suiting": ("suit", 149),
}
PRICE_STEPS = 5  # designs of a category differ in price by so many steps
PRICE_STEP = 7


def color_name(color: Color) -> str:
    """The nearest colour that has a name."""
    return min(COLORS, key=lambda name: _distance_squared(COLORS[name], color))


def title(product: "DrawnProduct") -> str:
    """Such as "Navy striped tee"."""
    pattern = PATTERNS.get(product.pattern, "")
    words = (color_name(product.colors.base), pattern, GARMENTS[product.category][0])
    return " ".join(word for word in words if word)


def price(product: "DrawnProduct") -> Decimal:
    """The same for every colour of a design."""
    least = GARMENTS[product.category][1]
    return least + PRICE_STEP * (product.design % PRICE_STEPS) - Decimal("0.10")


def write_manifest(folder: Path, photos: Iterable[tuple["DrawnProduct", str, str]]) -> None:
    """`folder/manifest.csv` with a row per photo: its product, file name and view."""
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for product, name, view in photos:
            writer.writerow(
                [
                    product.item_id,
                    f"images/{name}",
                    view,
                    product.gender,
                    product.category,
                    title(product),
                    color_name(product.colors.base),
                    price(product),
                ]
            )


def _distance_squared(a: Color, b: Color) -> int:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
