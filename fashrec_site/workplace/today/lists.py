"""Lists behind numbers of the first page that no model's list has a filter for."""

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from catalog.models import Product, ProductImage
from fashrec_site.workplace.permissions import needs
from fashrec_site.workplace.today.figures import served_backbone, without_current_embedding

PER_PAGE = 60


@require_GET
@needs("catalog.view_product")
def without_embedding(request: HttpRequest) -> HttpResponse:
    """Products on sale that looks cannot rank."""
    backbone = served_backbone()
    rows = without_current_embedding(backbone)
    title = f"Products without a current embedding{f' by {backbone}' if backbone else ''}"
    return _page(request, rows, title)


@require_GET
@needs("catalog.view_product")
def without_photo(request: HttpRequest) -> HttpResponse:
    """Products on sale that nobody can see."""
    photos = ProductImage.objects.filter(product=OuterRef("pk"))
    return _page(request, Product.objects.active().filter(~Exists(photos)), "Without a photo")


def _page(request: HttpRequest, rows: QuerySet[Product], title: str) -> HttpResponse:
    """Four queries, whatever their number."""
    pages = Paginator(rows.with_details().order_by("pk"), PER_PAGE)
    context = {
        **admin.site.each_context(request),
        "title": title,
        "page": pages.get_page(request.GET.get("page")),
    }
    return render(request, "admin/today/products.html", context)
