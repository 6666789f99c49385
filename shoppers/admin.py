"""Shoppers, purchases, events, sessions and popularity in the admin."""

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from catalog.list_admin import FoundByNameAdmin, ListAdmin
from shoppers.models import AnonymousSession, Event, ProductPopularity, Purchase, Shopper


@admin.register(Shopper)
class ShopperAdmin(ListAdmin):
    """Shoppers."""

    list_display = ("external_id", "gender", "trendiness", "is_simulated", "created_at")
    list_filter = ("is_simulated", "gender")
    search_fields = ("external_id",)
    raw_id_fields = ("user",)
    readonly_fields = ("is_simulated", "created_at")


@admin.register(Purchase)
class PurchaseAdmin(FoundByNameAdmin):
    """Purchases; the database counts them into the popularity."""

    list_display = ("shopper", "product", "purchased_at", "is_simulated")
    list_filter = ("is_simulated",)
    list_select_related = ("shopper", "product")
    search_fields = ("=shopper__external_id", "=product__item_id")
    ordering = ("-purchased_at", "-id")
    raw_id_fields = ("shopper", "product")
    readonly_fields = ("is_simulated",)


@admin.register(Event)
class EventAdmin(FoundByNameAdmin):
    """What shoppers and sessions did; a record, which its purchases were made from."""

    list_display = ("occurred_at", "kind", "product", "shopper", "session", "recommendation_id")
    list_filter = ("kind",)
    list_select_related = ("shopper", "session", "product")
    search_fields = ("=shopper__external_id", "=product__item_id", "=key")
    ordering = ("-occurred_at", "-id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A purchase typed in here would make no purchase: `recordEvents` or `import_events` do."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Nobody rewrites history by hand."""
        return False


@admin.register(AnonymousSession)
class AnonymousSessionAdmin(FoundByNameAdmin):
    """Sessions of people who were not logged in, and who they turned out to be."""

    list_display = ("id", "shopper", "created_at", "merged_at")
    list_select_related = ("shopper",)
    search_fields = ("=shopper__external_id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Events make them."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: AnonymousSession | None = None
    ) -> bool:
        """Logins merge them."""
        return False


@admin.register(ProductPopularity)
class ProductPopularityAdmin(FoundByNameAdmin):
    """Popularity, of which a curator may set the base; rows come and go with their products."""

    list_display = ("product", "popularity", "base", "base_is_simulated", "counted")
    list_filter = ("base_is_simulated",)
    list_select_related = ("product",)
    search_fields = ("=product__item_id",)
    ordering = ("-popularity", "product_id")
    fields = ("product", "base", "base_is_simulated", "counted", "popularity")
    readonly_fields = ("product", "base_is_simulated", "counted", "popularity")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The database adds a row with each product."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: ProductPopularity | None = None
    ) -> bool:
        """A product always has its row, which goes only when the product does."""
        here = request.resolver_match.url_name or ""
        return not here.startswith("shoppers_productpopularity") and super().has_delete_permission(
            request, obj
        )

    def save_model(
        self, request: HttpRequest, obj: ProductPopularity, form: ModelForm, change: bool
    ) -> None:
        """A base set by a person is a real one."""
        if "base" in form.changed_data:
            obj.base_is_simulated = False
        super().save_model(request, obj, form, change)
