"""Questions about catalogue rows."""

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Lower

from catalog.places import Place, distance_km, inside_box


class ProductQuerySet(models.QuerySet):
    """Questions about products."""

    def active(self) -> Self:
        """Products on sale."""
        return self.filter(is_active=True)

    def unmerged(self) -> Self:
        """Products that are not another one's former listing."""
        return self.filter(merged_into__isnull=True)

    def named(self, item_ids: Iterable[str]) -> Self:
        """The products that these item ids name: a merged one's names what it was merged into."""
        rows = self.model.objects.filter(item_id__in=list(item_ids)).order_by()
        return self.filter(pk__in=rows.values(key=Coalesce("merged_into", "pk")))

    def keys_by_item_id(self) -> dict[str, int]:
        """Product keys by every item id that names them, those of merged products included."""
        rows = self.order_by().values_list("item_id", Coalesce("merged_into", "pk"))
        return dict(rows.iterator())

    def with_details(self) -> Self:
        """With category, group and photos loaded: what showing a product needs. Two queries."""
        return self.select_related("category__group").prefetch_related("images")

    def in_colors(self, colors: Iterable[str]) -> Self:
        """Products of any of these colours, whatever the case."""
        lower = [color.lower() for color in colors]
        return self.annotate(lower_color=Lower("color")).filter(lower_color__in=lower)

    def colors(self) -> models.QuerySet:
        """The colours' names in lower case with how many have each, most first."""
        named = self.exclude(color="").order_by().values(name=Lower("color"))
        return named.annotate(n_products=Count("pk")).order_by("-n_products", "name")

    def in_stock(self, stores: Iterable[int] | None = None) -> Self:
        """Products that a store (any, or any of these) has."""
        return self.filter(Exists(self._stock(stores)))

    def out_of_stock(self) -> Self:
        """Products that no store has."""
        return self.filter(~Exists(self._stock(None)))

    def _stock(self, stores: Iterable[int] | None) -> models.QuerySet:
        stock = self.model._meta.get_field("stock").related_model.objects
        rows = stock.filter(product=OuterRef("pk"), quantity__gt=0)
        return rows if stores is None else rows.filter(store__in=stores)


class ProductImageQuerySet(models.QuerySet):
    """Questions about product photos."""

    def active(self) -> Self:
        """Photos of products on sale."""
        return self.filter(product__is_active=True)

    def primary(self) -> Self:
        """One photo per product, the one it is compared by: front, full, side, back, else first."""
        return self.order_by("product_id", "view_rank", "id").distinct("product_id")


class CategoryQuerySet(models.QuerySet):
    """Questions about categories."""

    def alone_in_group(self) -> Self:
        """Categories that nobody grouped: the import made their group, and it is like no other."""
        others = self.model.objects.filter(group=OuterRef("group")).exclude(pk=OuterRef("pk"))
        values = self.model._meta.apps.get_model("catalog", "GroupSimilarity").objects
        known = values.filter(Q(a=OuterRef("group")) | Q(b=OuterRef("group")))
        return self.filter(~Exists(others), ~Exists(known), group__name=F("name"))


class StoreQuerySet(models.QuerySet):
    """Questions about stores."""

    def stocking(self, item_id: str) -> Self:
        """Stores that have this product."""
        wanted = self.model._meta.apps.get_model("catalog", "Product").objects.named([item_id])
        return self.filter(stock__quantity__gt=0, stock__product__in=wanted.active())

    def by_distance(self, place: Place) -> Self:
        """Nearest first, with `distance_km` (great-circle)."""
        return self.annotate(distance_km=distance_km(place)).order_by("distance_km", "id")

    def within_km(self, place: Place, radius_km: float) -> Self:
        """Stores at most this far from `place`, great-circle: a box first, which an index serves.

        Raises:
            ValueError: the radius is not a positive number.
        """
        if not 0 < radius_km < float("inf"):
            raise ValueError(f"withinKm must be a positive number of kilometres; got {radius_km}")
        near = self.filter(inside_box(place, radius_km))
        return near.alias(kilometres=distance_km(place)).filter(kilometres__lte=radius_km)
