"""What the product list can be narrowed by, beside its columns."""

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RangeNumericListFilter

from embeddings.models import Embedding, ProductVector
from embeddings.preference import best_backbone_with_vectors


def with_embedding_state(products: QuerySet) -> QuerySet:
    """Products with `has_vector` (of the best backbone) and `has_failed` (any photo)."""
    backbone = best_backbone_with_vectors()
    vectors = ProductVector.objects.filter(product=OuterRef("pk"), backbone=backbone)
    failed = Embedding.objects.up_to_date().filter(
        state=Embedding.State.FAILED, image__product=OuterRef("pk")
    )
    return products.annotate(has_vector=Exists(vectors), has_failed=Exists(failed))


class EmbeddingStateFilter(DropdownFilter):
    """Whether looks can rank a product."""

    title = "embedding state"
    parameter_name = "embedding"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """The states."""
        return [("ready", "ready"), ("failed", "failed"), ("waiting", "waiting or no photo")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The products in the chosen state."""
        conditions = {
            "ready": {"has_vector": True},
            "failed": {"has_failed": True},
            "waiting": {"has_vector": False, "has_failed": False},
        }
        return queryset.filter(**conditions.get(self.value(), {}))


class StockFilter(DropdownFilter):
    """Whether any store has a product."""

    title = "stock"
    parameter_name = "in_stock"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """In stock or not."""
        return [("yes", "in stock"), ("no", "out of stock")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The products that are, or are not, in stock."""
        if self.value() == "yes":
            return queryset.in_stock()
        return queryset.out_of_stock() if self.value() == "no" else queryset


class PopularityFilter(RangeNumericListFilter):
    """From so many to so many: the stored base and the counted purchases."""

    title = "popularity"
    parameter_name = "popularity__popularity"
