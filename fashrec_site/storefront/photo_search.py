"""Search by photo: the browser sends the photo to the API, and this page shows what was found."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fashrec_site.storefront.api import ApiError, ask
from fashrec_site.storefront.filters import FilterForm, choices_of
from fashrec_site.storefront.pages import page
from fashrec_site.storefront.visitor import visitor_of

FILTERS = ("group", "gender", "price_max", "stock")  # of the catalogue's, those that are shown


@page
def photo_search(request: HttpRequest) -> HttpResponse:
    """The form, and the products that look like the photo of the search in the address."""
    form = FilterForm(request.GET, choices=choices_of(request), place=visitor_of(request).place)
    search_id = request.GET.get("search", "")
    context = {
        "search_id": search_id,
        "filters": [form[name] for name in FILTERS],
        "search": _search(request, search_id, form) if search_id else None,
    }
    return render(request, "storefront/photo_search.html", context)


def _search(request: HttpRequest, search_id: str, form: FilterForm) -> dict[str, Any]:
    """The search as the API has it; with the reason where it has none any more."""
    conditions = form.as_filter() if form.is_valid() else {}
    try:
        return ask(request, "photo_search", id=search_id, filter=conditions)["photoSearch"]
    except ApiError as error:
        if error.code not in ("NOT_FOUND", "BAD_USER_INPUT"):
            raise
        return {"status": "GONE", "error": {"message": str(error)}, "products": None}
