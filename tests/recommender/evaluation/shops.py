"""Small shops to evaluate: hand-placed vectors, or drawn photos with segmentation maps."""

from io import BytesIO

import numpy as np
from PIL import Image

from catalog.models import Gender, Product
from embeddings.models import Backbone
from embeddings.services import embed_missing, register_backbone
from tests.factories import (
    CategoryFactory,
    ProductFactory,
    ProductImageFactory,
    PurchaseFactory,
    ShopperFactory,
)
from tests.recommender.worlds import World

GARMENT, SKIN = (70, 80, 200), (144, 238, 144)


def hand_placed_shop(backbone: str = "hand", *, men: bool = True) -> World:
    """Twelve products in two categories, three shoppers with 3, 2 and 1 purchases."""
    world = World(Backbone.objects.create(name=backbone, dimension=4))
    rng = np.random.default_rng(7)
    centres = {"Dresses": np.array([3, 0, 0, 0]), "Pants": np.array([0, 3, 0, 0])}
    for n in range(12):
        category = "Dresses" if n % 2 else "Pants"
        world.add(
            f"p{n}",
            tuple(centres[category] + rng.normal(size=4)),
            popularity=10 * n,
            category=category,
            gender=Gender.MEN if men and n % 3 == 0 else Gender.WOMEN,
        )
    world.shopper("p1", "p2", "p5", trendiness=0.1, external_id="ann")
    world.shopper("p4", "p7", trendiness=0.5, external_id="bea")
    world.shopper("p8", trendiness=0.9, external_id="cis")
    return world


def shop_with_maps(n_products: int = 8) -> Backbone:
    """Drawn photos with maps, embedded by `color_layout`; each has a purchase of its own."""
    products = [_drawn_product(n) for n in range(n_products)]
    backbone = register_backbone(name="color_layout")
    embed_missing(backbone=backbone)
    for product in products:
        PurchaseFactory(product=product, shopper=ShopperFactory(gender=Gender.WOMEN))
    return backbone


def _drawn_product(n: int) -> Product:
    """A striped or plain garment on a background that says nothing about its category."""
    rng = np.random.default_rng(n)
    photo = np.broadcast_to(rng.integers(0, 256, 3), (32, 24, 3)).astype(np.uint8).copy()
    photo[8:24, 6:18] = (200, 30, 30) if n % 2 else (30, 30, 200)
    drawn_map = np.zeros((32, 24, 3), dtype=np.uint8)
    drawn_map[2:8, 9:15] = SKIN
    drawn_map[8:24, 6:18] = GARMENT
    category = CategoryFactory(name="Dresses" if n % 2 else "Pants")
    product = ProductFactory(item_id=f"drawn-{n}", gender=Gender.WOMEN, category=category)
    ProductImageFactory(product=product, content=_png(photo), segmentation=_png(drawn_map))
    return product


def _png(pixels: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
