"""Stores and stock in the admin: places on a map, quantities from files."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, XLSX
from unfold.contrib.import_export.forms import ExportForm

from catalog.admin import StockAdmin, StoreAdmin
from catalog.models import Stock, Store
from fashrec_site.workplace.stores.map import map_of
from fashrec_site.workplace.stores.stock_file import StockImportForm, StockResource

N_DRAWN = 1_000

admin.site.unregister([Store, Stock])


class StoreForm(forms.ModelForm):
    """A store whose place was really given."""

    class Meta:
        model = Store
        fields = ("name", "latitude", "longitude")

    def clean(self) -> dict[str, Any]:
        """Refuse 0, 0, which is what an unknown place often becomes: it lies in the Atlantic."""
        values = super().clean()
        if values.get("latitude") == 0 and values.get("longitude") == 0:
            raise ValidationError("0, 0 lies in the Atlantic: give the store's own coordinates.")
        return values


@admin.register(Store)
class StoreMapAdmin(StoreAdmin):
    """Shops, and where they are on the map."""

    form = StoreForm
    list_display = ("name", "latitude", "longitude", "n_products", "is_simulated")
    list_before_template = "admin/stores/map.html"
    change_form_outer_before_template = "admin/stores/map.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Store]:
        """Stores with the number of products that they have."""
        stock = Stock.objects.filter(store=OuterRef("pk"), quantity__gt=0).order_by()
        counted = Subquery(stock.values("store").annotate(n=Count("pk")).values("n"))
        return super().get_queryset(request).annotate(stocked=Coalesce(counted, 0))

    @admin.display(description="products in stock", ordering="stocked")
    def n_products(self, store: Store) -> int:
        """How many different ones."""
        return store.stocked

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list under a map of all stores. One query more."""
        stores = list(Store.objects.order_by("pk")[:N_DRAWN])
        return super().changelist_view(request, {"map": map_of(stores), **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form under a map."""
        store = self.get_object(request, object_id)
        if store and self.has_view_permission(request, store):
            extra_context = {"map": map_of([store], chosen=store), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(Stock)
class StockFileAdmin(ImportExportModelAdmin, StockAdmin):
    """How many pieces of a product a store has; also from a file, checked before it is written."""

    resource_classes = (StockResource,)
    import_form_class = StockImportForm
    export_form_class = ExportForm
    formats = (CSV, XLSX)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """A file adds and changes."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever sees the list."""
        return self.has_view_permission(request)

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Stock]:
        """With the names that a file has, in one query."""
        return super().get_export_queryset(request).select_related("product", "store")
