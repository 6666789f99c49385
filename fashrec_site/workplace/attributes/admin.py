"""Suggested labels: accepted or dismissed in bulk."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeNumericFilter
from unfold.decorators import display

from catalog.admin import thumbnail
from catalog.list_admin import FoundByNameAdmin
from embeddings.attributes.models import AttributeSuggestion
from embeddings.attributes.services import accept_suggestions, dismiss_suggestions

STATE_COLORS = {"open": "warning", "accepted": "success", "dismissed": "info"}
CHANGE_PRODUCTS = "catalog.change_product"


@admin.register(AttributeSuggestion)
class AttributeSuggestionAdmin(FoundByNameAdmin):
    """The surest first; nobody types one, and a product changes only by an action."""

    list_display = ("picture", "product", "label", "current", "value", "percent", "decision")
    list_display_links = ("product",)
    list_filter = (
        ("label", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        ("confidence", RangeNumericFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    list_select_related = ("product", "backbone")
    list_before_template = "admin/attributes/above_list.html"
    search_fields = ("=product__item_id", "value")
    actions = ("accept", "dismiss")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttributeSuggestion]:
        """With the products' photos: one query more for a page."""
        return super().get_queryset(request).prefetch_related("product__images")

    @admin.display(description="photo")
    def picture(self, suggestion: AttributeSuggestion) -> SafeString | str:
        """The photo that the product is compared by."""
        return thumbnail(next(iter(suggestion.product.images.all()), None))

    @admin.display(description="confidence", ordering="confidence")
    def percent(self, suggestion: AttributeSuggestion) -> str:
        """How often such a suggestion is right."""
        return f"{100 * suggestion.confidence:.0f} %"

    @display(description="state", ordering="state", label=STATE_COLORS)
    def decision(self, suggestion: AttributeSuggestion) -> str:
        """Open, accepted or dismissed."""
        return suggestion.state

    @admin.action(description="Accept: give the products these labels", permissions=["decide"])
    def accept(self, request: HttpRequest, chosen: QuerySet[AttributeSuggestion]) -> None:
        """All chosen ones, however many pages."""
        found = accept_suggestions(self._plain(chosen), by=request.user, now=timezone.now())
        messages.success(request, f"{found.n_accepted:,} suggestions accepted.")
        if found.n_outdated:
            messages.warning(
                request, f"{found.n_outdated:,} removed: their products changed meanwhile."
            )

    @admin.action(description="Dismiss: never suggest these again", permissions=["decide"])
    def dismiss(self, request: HttpRequest, chosen: QuerySet[AttributeSuggestion]) -> None:
        """The products stay as they are."""
        n = dismiss_suggestions(self._plain(chosen), by=request.user, now=timezone.now())
        messages.success(request, f"{n:,} suggestions dismissed.")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whoever may change suggestions and products."""
        may_change = request.user.has_perm("embeddings.change_attributesuggestion")
        return may_change and request.user.has_perm(CHANGE_PRODUCTS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come from `suggest_attributes`."""
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: AttributeSuggestion | None = None
    ) -> bool:
        """Decided by the list's actions, never by a form."""
        return False

    @staticmethod
    def _plain(chosen: QuerySet[AttributeSuggestion]) -> QuerySet[AttributeSuggestion]:
        """The rows without what the list needs beside them."""
        return AttributeSuggestion.objects.filter(pk__in=chosen.order_by().values("pk"))
