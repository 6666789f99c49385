"""Merchandising rules in the admin: made with a preview, ended, and kept with who did what."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from catalog.admin import thumbnail
from catalog.history_admin import HistoryAdmin
from catalog.models import ProductImage
from fashrec_site.workplace.merchandising.filters import KindFilter, WhenFilter
from fashrec_site.workplace.merchandising.rule_form import RuleForm
from fashrec_site.workplace.merchandising.views import preview, rule_page
from fashrec_site.workplace.merchandising.wording import state_of, what_it_does
from recommender.merchandising.models import MerchandisingRule
from recommender.merchandising.services import MerchandisingError, end_rules

STATE_COLORS = {"holds": "success", "begins later": "info", "over": None}
LIST = "admin:recommender_merchandisingrule_changelist"
Kind = MerchandisingRule.Kind


@admin.register(MerchandisingRule)
class MerchandisingRuleAdmin(HistoryAdmin):
    """Pins, boosts and buries: who wanted what, where and until when."""

    list_display = ("picture", "product", "what", "where", "starts_at", "until", "state", "by")
    list_display_links = ("picture", "what")
    list_filter = (WhenFilter, KindFilter, ("category", RelatedDropdownFilter))
    list_filter_submit = True
    list_select_related = ("product", "category")
    search_fields = ("product__item_id", "product__title", "note")
    readonly_fields = ("of_product", "category", "by")
    actions = ("end_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MerchandisingRule]:
        """Rules with their product's photo and who made them; one query more for a list."""
        photos = Prefetch(
            "product__images", ProductImage.objects.primary().select_related("product"), "photos"
        )
        made = MerchandisingRule.history.filter(id=OuterRef("pk"), history_type="+")
        name = Subquery(made.order_by("history_id").values("history_user__username")[:1])
        return super().get_queryset(request).prefetch_related(photos).annotate(made_by=name)

    def get_fields(self, request: HttpRequest, obj: MerchandisingRule | None = None) -> Any:
        """What of a rule may change: not what it is about."""
        how_much = "position" if obj is not None and obj.kind == Kind.PIN else "boost"
        return ("of_product", "category", how_much, "starts_at", "ends_at", "note", "by")

    @admin.display(description="photo")
    def picture(self, rule: MerchandisingRule) -> SafeString | str:
        """The product's."""
        return thumbnail(next(iter(rule.product.photos), None))

    @admin.display(description="product")
    def of_product(self, rule: MerchandisingRule) -> SafeString:
        """A link to its page."""
        url = reverse("admin:catalog_product_change", args=[rule.product_id])
        return format_html('<a class="link" href="{}">{}</a>', url, rule.product)

    @admin.display(description="what")
    def what(self, rule: MerchandisingRule) -> str:
        """In a few words."""
        return what_it_does(rule)

    @admin.display(description="where", ordering="category__name")
    def where(self, rule: MerchandisingRule) -> str:
        """The category, or everywhere."""
        return str(rule.category or "everywhere")

    @admin.display(description="until", ordering="ends_at")
    def until(self, rule: MerchandisingRule) -> object:
        """When it ends."""
        return rule.ends_at or "ended by hand"

    @display(description="state", label=STATE_COLORS)
    def state(self, rule: MerchandisingRule) -> str:
        """As of now."""
        return state_of(rule)

    @admin.display(description="made by")
    def by(self, rule: MerchandisingRule) -> str:
        """Who made it; its history has who changed it."""
        return rule.made_by or "a program"

    def get_urls(self) -> list[URLPattern]:
        """With the preview."""
        view = self.admin_site.admin_view(preview)
        return [path("preview/", view, name="merchandising_preview"), *super().get_urls()]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Rules for one or many products, beside what they would change."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RuleForm(request.POST or None, initial=_asked_for(request))
        if request.method == "POST" and form.is_valid():
            try:
                n_rules = len(form.save())
            except MerchandisingError as error:
                form.add_error(None, str(error))
            else:
                self.message_user(request, f"{n_rules:,} made.", messages.SUCCESS)
                return HttpResponseRedirect(reverse(LIST))
        return rule_page(request, form)

    @admin.action(description="End now", permissions=["change"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[MerchandisingRule]) -> None:
        """Let the chosen ones hold no longer; those that have not begun never will."""
        keys = list(queryset.values_list("pk", flat=True))
        rules = MerchandisingRule.objects.filter(pk__in=keys)
        n_rules = end_rules(rules=rules, now=timezone.now())
        self.message_user(request, f"{n_rules:,} ended.", messages.SUCCESS)


def _asked_for(request: HttpRequest) -> dict[str, str]:
    """What the page that led here knows already."""
    names = ("products", "kind", "category")
    return {name: request.GET[name] for name in names if name in request.GET}
