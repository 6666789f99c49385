"""Shoppers in the admin: their page, their data as a file, and their erasure."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from fashrec_site.personal_data.erasure import erase_shopper, log_export
from fashrec_site.personal_data.export import count_rows, export_shopper
from fashrec_site.workplace.shoppers.overview import overview_of
from fashrec_site.workplace.stores.map import map_of
from shoppers.admin import ShopperAdmin
from shoppers.models import Purchase, Shopper

admin.site.unregister(Shopper)
MAY_SEE_ANSWERS = ("recommender.view_recommendationlog", "catalog.view_product")


@admin.register(Shopper)
class ShopperPageAdmin(ShopperAdmin):
    """Shoppers. Deleting one is an erasure: whole, confirmed by name, and in the log without it."""

    list_display = ("external_id", "gender", "trendiness", "n_purchases", "is_simulated", "created")
    change_form_outer_before_template = "admin/shoppers/shopper/overview.html"
    delete_confirmation_template = "admin/shoppers/shopper/erase.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shopper]:
        """Shoppers with the number of their purchases, counted for the rows of a page only."""
        bought = Purchase.objects.filter(shopper=OuterRef("pk")).order_by().values("shopper")
        counted = Subquery(bought.annotate(n=Count("pk")).values("n"))
        return super().get_queryset(request).annotate(bought=Coalesce(counted, 0))

    @admin.display(description="purchases")
    def n_purchases(self, shopper: Shopper) -> int:
        """How much they bought."""
        return shopper.bought

    @admin.display(description="since", ordering="created_at")
    def created(self, shopper: Shopper) -> str:
        """The day."""
        return f"{shopper.created_at:%Y-%m-%d}"

    def get_urls(self) -> list[URLPattern]:
        """With the export."""
        view = self.admin_site.admin_view(self.export_view)
        own = path("<path:object_id>/export/", view, name="shoppers_shopper_export")
        return [own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form, below what there is to know."""
        shopper = self.get_object(request, object_id)
        if shopper and self.has_view_permission(request, shopper) and request.method == "GET":
            extra_context = (extra_context or {}) | self._overview(request, shopper)
        return super().change_view(request, object_id, form_url, extra_context)

    def _overview(self, request: HttpRequest, shopper: Shopper) -> dict[str, Any]:
        may_see = request.user.has_perms(MAY_SEE_ANSWERS)
        overview = overview_of(shopper, with_answer=may_see)
        return {
            "title": shopper.external_id,
            "trendiness_place": f"{99 * shopper.trendiness:.1f}",  # its mark is 0.9 wide
            "overview": overview,
            "map": overview.place and map_of(overview.stores, origin=overview.place),
            "show_delete": False,  # "Erase" stands beside the export
            "may_export": self.has_change_permission(request, shopper),
            "may_erase": self.has_delete_permission(request, shopper),
        }

    @method_decorator(require_POST)
    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All that is kept of them, as a JSON file; who asked for it is logged."""
        shopper = get_object_or_404(Shopper, pk=object_id if object_id.isdecimal() else None)
        if not self.has_change_permission(request, shopper):
            raise PermissionDenied
        text = json.dumps(export_shopper(shopper), cls=DjangoJSONEncoder, indent=2)
        log_export(shopper=shopper, by=request.user)
        response = HttpResponse(text, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="shopper-{shopper.pk}.json"'
        return response

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the name; without it nothing happens."""
        shopper = self.get_object(request, object_id)
        extra_context = {"title": "Erase a shopper", **(extra_context or {})}
        if request.method == "POST" and shopper:
            typed = request.POST.get("confirmed_name", "").strip()
            if typed != shopper.external_id:
                extra_context["refusal"] = f"Type {shopper.external_id} to confirm; got “{typed}”."
                request.POST = request.POST.copy()
                request.POST.clear()  # Django asks again where nothing was posted
        return super().delete_view(request, object_id, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, ...]:
        """Counts instead of Django's list of every row, and no permission per kind of row."""
        counts: dict[str, int] = {"shoppers": len(objs)} if len(objs) > 1 else {}
        for shopper in objs:
            for name, n_rows in count_rows(shopper).items():
                counts[name] = counts.get(name, 0) + n_rows
        return [str(shopper) for shopper in objs], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Shopper) -> None:
        """Erase them."""
        erase_shopper(shopper=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Shopper]) -> None:
        """Erase the chosen ones, each whole."""
        for shopper in queryset:
            erase_shopper(shopper=shopper, by=request.user)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """The erasure writes the log, without the name."""

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the list; the message has the number and not the name."""
        return super().response_delete(request, f"number {obj_id}, with all that was kept", obj_id)
