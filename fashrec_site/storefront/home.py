"""The first page: a shopper's rails with their reasons; what rises, what is near, what is new."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fashrec_site.storefront import demo
from fashrec_site.storefront.api import ApiError, ask
from fashrec_site.storefront.catalogue import Page, products_page
from fashrec_site.storefront.insiders import may_see_shoppers
from fashrec_site.storefront.pages import page
from fashrec_site.storefront.picks import picks_for
from fashrec_site.storefront.report import may_see_report, report_pictures
from fashrec_site.storefront.visitor import visitor_of
from shoppers.models import Shopper

N_NEAR = 12


@page
def home(request: HttpRequest) -> HttpResponse:
    """The shop window; with recommendations for whoever is known, or looked over the shoulder."""
    data = ask(request, "home")
    watched = demo.watched_shopper(request)
    context = {
        "newest": data["newest"],
        "trending": data["trending"],
        "near": _near(request),
        "watched": watched,
        "may_see_shoppers": may_see_shoppers(request),
        "shoppers": demo.busiest_shoppers() if may_see_shoppers(request) else [],
        "report_pictures": report_pictures() if may_see_report(request) else [],
    }
    return render(request, "storefront/home.html", context | _picks(request, watched))


def _picks(request: HttpRequest, watched: Shopper | None) -> dict[str, Any]:
    """The recommendations, or that they failed; nothing for somebody who did nothing yet."""
    visitor = visitor_of(request)
    try:
        if watched is not None:
            picks = picks_for(demo.as_onlooker(request), shopper=watched.external_id)
        elif visitor.is_known:
            picks = picks_for(request, sessionToken=visitor.session_token)
        else:
            return {}
    except ApiError:
        return {"picks_failed": True}
    return {"picks": picks}


def _near(request: HttpRequest) -> dict[str, Any] | None:
    """The nearest store and some of what it has; None where the visitor's place is not known."""
    place = visitor_of(request).place
    if place is None:
        return None
    edges = ask(request, "nearest_store", near=place)["stores"]["edges"]
    if not edges:
        return None
    store = edges[0]["node"]
    found: Page = products_page(request, {"store": store["id"]}, n=N_NEAR)
    return {"store": store, "products": found.products}
