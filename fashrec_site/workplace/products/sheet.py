"""What a product's page shows above its form: photos with their masks, neighbours, popularity."""

import json
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils import timezone

from catalog.models import Product, ProductImage
from embeddings.models import Embedding
from embeddings.neighbours import similar_products
from embeddings.preference import best_backbone_with_vectors
from recommender.models import MerchandisingRule
from shoppers.models import Purchase

N_NEIGHBOURS = 8
N_MONTHS = 24


@dataclass(frozen=True)
class SeenPhoto:
    """A photo and what each backbone made of it."""

    image: ProductImage
    embeddings: list[Embedding]  # with `is_current`


@dataclass(frozen=True)
class LookAlike:
    """A product that looks alike, and the cosine of the two."""

    product: Product
    similarity: float


class ProductSheet:
    """Asks for each part when the page comes to it."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.backbone = best_backbone_with_vectors()

    @cached_property
    def photos(self) -> list[SeenPhoto]:
        """The photos, the one that is compared by first. Three queries."""
        images = list(self.product.images.all())
        of_these = Embedding.objects.filter(image__in=images).defer("vector")
        current = set(of_these.current().values_list("pk", flat=True))
        found: dict[int, list[Embedding]] = {image.pk: [] for image in images}
        for embedding in of_these.select_related("backbone").order_by("backbone__name", "pk"):
            embedding.is_current = embedding.pk in current
            found[embedding.image_id].append(embedding)
        return [SeenPhoto(image, found[image.pk]) for image in images]

    @cached_property
    def neighbours(self) -> list[LookAlike]:
        """The products that look most like it to the best backbone, nearest first."""
        if self.backbone is None:
            return []
        near = similar_products(product=self.product, backbone=self.backbone, k=N_NEIGHBOURS)
        products = Product.objects.with_details().in_bulk([n.product_id for n in near])
        return [
            LookAlike(products[n.product_id], n.cosine_similarity)
            for n in near
            if n.product_id in products
        ]

    @cached_property
    def rules(self) -> list[MerchandisingRule]:
        """The merchandising rules that hold or will hold."""
        rules = MerchandisingRule.objects.filter(product=self.product).not_over(timezone.now())
        return list(rules.select_related("category").order_by("starts_at", "pk"))

    @cached_property
    def months(self) -> list[tuple[str, int]]:
        """Purchases by month, the last ones that had any; one query over this product's own."""
        rows = (
            Purchase.objects.filter(product=self.product)
            .order_by()
            .annotate(month=TruncMonth("purchased_at"))
            .values_list("month")
            .annotate(n=Count("pk"))
            .order_by("-month")[:N_MONTHS]
        )
        return [(f"{month:%b %Y}", n) for month, n in reversed(rows)]

    @property
    def chart(self) -> str:
        """The months as Chart.js takes them."""
        dataset = {
            "label": "Purchases",
            "data": [n for _, n in self.months],
            "backgroundColor": "var(--color-primary-600)",
        }
        return json.dumps({"labels": [month for month, _ in self.months], "datasets": [dataset]})
