"""Small hand-placed worlds to rank in, and the relevance formula in plain Python beside them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import sqrt

from catalog.models import CategoryPair, Gender, Product
from embeddings.models import Backbone, Embedding, ProductVector
from shoppers.models import ProductPopularity, Purchase, Shopper
from tests.factories import CategoryFactory, ProductFactory, ProductImageFactory

START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """Products by item id with one backbone's vectors."""

    backbone: Backbone
    products: dict[str, Product] = field(default_factory=dict)

    def add(
        self,
        item_id: str,
        vector: tuple[float, ...],
        *,
        popularity: int = 0,
        category: str = "Dresses",
        gender: str = Gender.WOMEN,
        is_active: bool = True,
    ) -> Product:
        product = ProductFactory(
            item_id=item_id,
            category=CategoryFactory(name=category),
            gender=gender,
            is_active=is_active,
        )
        image = ProductImageFactory(product=product)
        length = sqrt(sum(x * x for x in vector))
        unit = [x / length for x in vector]
        embedding = Embedding.objects.create(
            image=image,
            backbone=self.backbone,
            mask_method="none",
            state="ready",
            vector=unit,
            image_sha256=image.sha256,
            weights_sha256=self.backbone.weights_sha256,
        )
        ProductVector.objects.create(
            product=product,
            backbone=self.backbone,
            embedding=embedding,
            vector=unit,
            gender=gender,
            category=product.category,
            is_active=is_active,
        )
        ProductPopularity.objects.filter(product=product).update(base=popularity)
        self.products[item_id] = product
        return product

    def shopper(
        self,
        *bought: str,
        trendiness: float = 0.5,
        gender: str = Gender.WOMEN,
        external_id: str = "ann",
        **place: float,
    ) -> Shopper:
        shopper = Shopper.objects.create(
            external_id=external_id, trendiness=trendiness, gender=gender, **place
        )
        for day, item_id in enumerate(bought):
            Purchase.objects.create(
                shopper=shopper,
                product=self.products[item_id],
                purchased_at=START + timedelta(days=day),
            )
        return shopper


def make_world(dimension: int = 3) -> World:
    return World(Backbone.objects.create(name="hand", dimension=dimension))


def naive_relevance(world: World, shopper: Shopper, settings, bought: Product) -> list[tuple]:
    """(relevance, product key) of all candidates, best first: a loop over the formula's text."""
    active = list(Product.objects.filter(is_active=True).select_related("popularity"))
    popularity = {p.pk: p.popularity.popularity for p in active}
    low, high = min(popularity.values()), max(popularity.values())
    owned = set(shopper.purchases.values_list("product_id", flat=True))
    vectors = {
        v.product_id: v.vector for v in ProductVector.objects.filter(backbone=world.backbone)
    }
    ranked = []
    for v in active:
        same = v.gender == shopper.gender or "UNISEX" in (v.gender, shopper.gender)
        children = {v.gender, shopper.gender} == {"GIRLS", "BOYS"}
        if v.pk in owned or (settings.filter_gender and not (same or children)):
            continue
        cosine = sum(x * y for x, y in zip(vectors[bought.pk], vectors[v.pk], strict=True))
        norm = (popularity[v.pk] - low) / (high - low) if high > low else 0.0
        gap = abs(norm - shopper.trendiness)
        alike = CategoryPair.objects.get(a_id=bought.category_id, b_id=v.category_id).similarity
        relevance = (
            settings.weight_visual * cosine
            + settings.weight_popularity * (1 - gap**settings.penalty_exponent)
            + settings.weight_category * alike
        )
        ranked.append((relevance, v.pk))
    return sorted(ranked, key=lambda pair: (-pair[0], pair[1]))
