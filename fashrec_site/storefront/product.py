"""One product: its photos, where it is in stock, what looks like it, and what to wear with it."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fashrec_site.storefront.api import ApiError, ask
from fashrec_site.storefront.events import new_key
from fashrec_site.storefront.pages import page, sorry
from fashrec_site.storefront.visitor import recognise, visitor_of


@page
def product(request: HttpRequest, item_id: str) -> HttpResponse:
    """The product's page; `from` in the address names the recommendations that led here."""
    try:
        data = ask(request, "product", itemId=item_id, near=visitor_of(request).place)
    except ApiError as error:
        if error.code != "NOT_FOUND":
            raise
        return sorry(request, HTTPStatus.NOT_FOUND, "We do not have that product, or not any more.")
    context = data | {
        "recommendation": request.GET.get("from", ""),
        "view_key": new_key(),
    }
    response = render(request, "storefront/product.html", context)
    recognise(request, response)
    return response
