"""A plain admin for backbones, embeddings and product vectors. Vectors are never shown as lists."""

from django.contrib import admin
from django.http import HttpRequest

from catalog.list_admin import FoundByNameAdmin, ListAdmin
from embeddings.models import Backbone, Embedding, FidelityCheck, ProductVector


class ComputedAdmin(FoundByNameAdmin):
    """Rows that only the pipeline writes: they can be looked at and deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody types an embedding."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody edits one."""
        return False


@admin.register(Backbone)
class BackboneAdmin(ListAdmin):
    """Backbones; what describes the weights comes from `embed_products`."""

    list_display = ["name", "dimension", "weights_sha256", "is_active", "created_at"]
    list_filter = ["is_active"]
    readonly_fields = ["name", "dimension", "preprocessing", "weights_sha256", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Registering reads the weights: `manage.py embed_products --backbone NAME`."""
        return False


@admin.register(Embedding)
class EmbeddingAdmin(ComputedAdmin):
    """Embeddings with their state, and the reason where there is no vector."""

    list_display = [
        "image",
        "region",
        "backbone",
        "found_by",
        "state",
        "error",
        "attempts",
        "updated_at",
    ]
    list_filter = ["backbone", "state", "mask_method", "found_by"]
    list_select_related = ["image__product", "backbone"]
    search_fields = ["=image__product__item_id", "error"]
    exclude = ["vector"]

    def get_queryset(self, request: HttpRequest) -> object:
        """Rows without their vectors, which take kilobytes each."""
        return super().get_queryset(request).defer("vector")


@admin.register(ProductVector)
class ProductVectorAdmin(ComputedAdmin):
    """Which embedding each product is compared by."""

    list_display = ["product", "backbone", "gender", "category", "is_active"]
    list_filter = ["backbone", "gender", "is_active"]
    list_select_related = ["product", "backbone", "category"]
    search_fields = ["=product__item_id"]
    exclude = ["vector"]

    def get_queryset(self, request: HttpRequest) -> object:
        """Rows without their vectors, which take kilobytes each."""
        return super().get_queryset(request).defer("vector")


@admin.register(FidelityCheck)
class FidelityCheckAdmin(ComputedAdmin):
    """Which faster ways to embed may be used; one that is deleted is measured again."""

    list_display = ["backbone", "way", "is_admitted", "reason", "circumstances", "checked_at"]
    list_filter = ["backbone", "is_admitted"]
    list_select_related = ["backbone"]
