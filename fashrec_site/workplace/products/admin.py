"""The product list and page of the workplace, in place of the catalogue's plain ones."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from catalog.admin import ProductAdmin
from catalog.models import Category, Product, Stock
from catalog.money import money
from fashrec_site.product_jobs.models import ProductJob
from fashrec_site.workplace.merchandising.rule_form import MAX_PRODUCTS, RuleForm
from fashrec_site.workplace.merchandising.views import rule_page
from fashrec_site.workplace.products.bulk import change_chosen
from fashrec_site.workplace.products.filters import (
    EmbeddingStateFilter,
    PopularityFilter,
    StockFilter,
    with_embedding_state,
)
from fashrec_site.workplace.products.sheet import ProductSheet
from recommender.models import MerchandisingRule

MERCHANDISE = "recommender.add_merchandisingrule"
STATE_COLORS = {"ready": "success", "failed": "danger", "waiting": "warning"}
admin.site.unregister(Product)


@admin.register(Product)
class CuratedProductAdmin(ProductAdmin):
    """Products with how the networks see them, what they sell, and where they lie."""

    list_display = (
        "picture",
        "item_id",
        "title",
        "category",
        "gender",
        "amount",
        "how_popular",
        "pieces",
        "embedding",
        "on_sale",
    )
    list_filter = (
        ("category", RelatedDropdownFilter),
        ("category__group", RelatedDropdownFilter),
        ("gender", ChoicesDropdownFilter),
        EmbeddingStateFilter,
        StockFilter,
        PopularityFilter,
        ("is_active", BooleanRadioFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    list_select_related = ("category", "popularity")
    actions = ("activate", "deactivate", "move", "look_again", "merchandise")
    change_form_outer_before_template = "admin/catalog/product/sheet.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Products with photos, embedding state and pieces in stock; three queries for a list."""
        pieces = Stock.objects.filter(product=OuterRef("pk")).order_by().values("product")
        return with_embedding_state(super().get_queryset(request)).annotate(
            n_pieces=Subquery(pieces.annotate(n=Sum("quantity")).values("n"))
        )

    @admin.display(description="price", ordering="price")
    def amount(self, product: Product) -> str:
        """With its currency."""
        return "-" if product.price is None else money(product.price)

    @admin.display(description="popularity", ordering="popularity__popularity")
    def how_popular(self, product: Product) -> int:
        """The stored base and the counted purchases."""
        return product.popularity.popularity

    @admin.display(description="in stock")
    def pieces(self, product: Product) -> int:
        """Pieces in all stores."""
        return product.n_pieces or 0

    @admin.display(description="on sale", ordering="is_active", boolean=True)
    def on_sale(self, product: Product) -> bool:
        """Whether anybody can find it."""
        return product.is_active

    @display(description="embedding", label=STATE_COLORS)
    def embedding(self, product: Product) -> str:
        """Whether looks can rank it."""
        if product.has_failed:
            return "failed"
        return "ready" if product.has_vector else "waiting"

    def get_form(
        self,
        request: HttpRequest,
        obj: Product | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        """With the currency beside the price."""
        kwargs["labels"] = {"price": f"Price, {settings.FASHREC_CURRENCY}"}
        return super().get_form(request, obj, change, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form, below what the product looks like and how it does."""
        product = self.get_object(request, object_id) if object_id else None
        may_view = product is not None and self.has_view_permission(request, product)
        context = {
            "sheet": ProductSheet(product) if may_view else None,
            "may_retry": request.user.has_perm("embeddings.change_embedding"),
            "may_see_rules": request.user.has_perm("recommender.view_merchandisingrule"),
            "may_merchandise": request.user.has_perm(MERCHANDISE),
            "rule_kinds": MerchandisingRule.Kind.choices,
            **(extra_context or {}),
        }
        return super().changeform_view(request, object_id, form_url, context)

    @admin.action(description="Put on sale", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        """Let them be recommended and found."""
        return change_chosen(request, queryset, ProductJob.Kind.ACTIVATE)

    @admin.action(description="Take off sale", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        """Hide them from everybody."""
        return change_chosen(request, queryset, ProductJob.Kind.DEACTIVATE)

    @admin.action(description="Move to a category", permissions=["change"])
    def move(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        """Ask for the category, then move them to it."""
        wanted = request.POST.get("category", "")
        category = Category.objects.filter(pk=wanted).first() if wanted.isdecimal() else None
        if category is None:
            return self._ask_for_category(request, queryset)
        return change_chosen(request, queryset, ProductJob.Kind.MOVE, category)

    def _ask_for_category(
        self, request: HttpRequest, queryset: QuerySet[Product]
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Move products",
            "opts": self.opts,
            "address": request.get_full_path(),
            "n_products": queryset.count(),
            "chosen": request.POST.getlist("_selected_action"),
            "select_across": "1" if request.POST.get("select_across") == "1" else "0",
            "categories": Category.objects.select_related("group").order_by("name"),
        }
        return TemplateResponse(request, "admin/catalog/product/move.html", context)

    @admin.action(description="Embed again", permissions=["change"])
    def look_again(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        """Have their photos embedded again; they keep their vectors until the new ones come."""
        return change_chosen(request, queryset, ProductJob.Kind.EMBED)

    def has_merchandise_permission(self, request: HttpRequest) -> bool:
        """Whoever may make rules."""
        return request.user.has_perm(MERCHANDISE)

    @admin.action(description="Pin, boost or bury", permissions=["merchandise"])
    def merchandise(self, request: HttpRequest, queryset: QuerySet[Product]) -> HttpResponse | None:
        """Ask what to do with them, beside what it would change."""
        item_ids = list(queryset.values_list("item_id", flat=True)[: MAX_PRODUCTS + 1])
        if len(item_ids) > MAX_PRODUCTS:
            self.message_user(request, f"Choose at most {MAX_PRODUCTS}.", messages.ERROR)
            return None
        return rule_page(request, RuleForm(initial={"products": "\n".join(item_ids)}))
