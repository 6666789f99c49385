"""Questions about catalogue rows."""

from typing import Self

from django.db import models


class ProductQuerySet(models.QuerySet):
    """Questions about products."""

    def active(self) -> Self:
        """Products on sale."""
        return self.filter(is_active=True)

    def with_details(self) -> Self:
        """With category, group and photos loaded: what showing a product needs. Two queries."""
        return self.select_related("category__group").prefetch_related("images")


class ProductImageQuerySet(models.QuerySet):
    """Questions about product photos."""

    def active(self) -> Self:
        """Photos of products on sale."""
        return self.filter(product__is_active=True)

    def primary(self) -> Self:
        """One photo per product, the one it is compared by: front, full, side, back, else first."""
        return self.order_by("product_id", "view_rank", "id").distinct("product_id")
