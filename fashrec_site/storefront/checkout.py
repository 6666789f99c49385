"""The bag and a demonstration checkout: what is bought is recorded, and nothing is charged."""

import uuid
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from fashrec_site.storefront.api import ask
from fashrec_site.storefront.bag import Bag
from fashrec_site.storefront.events import new_event, new_key, record_events
from fashrec_site.storefront.pages import page, sorry, to_login
from fashrec_site.storefront.visitor import visitor_of


@page
def show_bag(request: HttpRequest) -> HttpResponse:
    """What is in the bag."""
    return render(request, "storefront/bag.html", _lines(request, Bag(request)))


@page
@require_POST
def add_to_bag(request: HttpRequest) -> HttpResponse:
    """Put a product into the bag, and tell the API."""
    item_id, recommendation = request.POST.get("item", ""), request.POST.get("recommendation", "")
    event = new_event("CART", item_id, request.POST.get("key") or new_key(), recommendation)
    response = record_events(request, [event], redirect("bag"))
    if not Bag(request).add(item_id, recommendation):
        messages.warning(request, "Your bag is full.")
    return response


@page
@require_POST
def remove_from_bag(request: HttpRequest) -> HttpResponse:
    """Take a product out of the bag."""
    Bag(request).remove(request.POST.get("item", ""))
    return redirect("bag")


@page
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the order, or place it; only a shopper who is logged in can buy."""
    if visitor_of(request).account is None:
        return to_login(request)
    bag = Bag(request)
    if request.method == "POST":
        return _place_order(request, bag)
    context = _lines(request, bag) | {"order": new_key()}
    return render(request, "storefront/checkout.html", context)


@page
def thanks(request: HttpRequest) -> HttpResponse:
    """After an order; a stranger, who cannot have placed one, is shown the shop."""
    if visitor_of(request).account is None:
        return redirect("home")
    return render(request, "storefront/thanks.html")


def _place_order(request: HttpRequest, bag: Bag) -> HttpResponse:
    """Record a purchase of each line; sent again, the same order records nothing more."""
    try:
        order = uuid.UUID(request.POST.get("order", ""))
    except ValueError:
        return sorry(request, 400, "That order was not complete.")
    events = [
        new_event("PURCHASE", item, str(uuid.uuid5(order, item)), bag.recommendation_of(item))
        for item in bag
    ]
    response = redirect("thanks")
    if events:
        response = record_events(request, events, response)
        bag.clear()
    return response


def _lines(request: HttpRequest, bag: Bag) -> dict[str, Any]:
    """The bag's products, and the sum of their prices; what left the shop leaves the bag."""
    edges = ask(request, "bag", itemIds=list(bag))["products"]["edges"]
    products = {edge["node"]["itemId"]: edge["node"] for edge in edges}
    for item in set(bag) - set(products):
        bag.remove(item)
    lines = [products[item] for item in bag]
    prices = [Decimal(product["price"]) for product in lines if product["price"] is not None]
    return {"lines": lines, "total": sum(prices) if prices else None}
