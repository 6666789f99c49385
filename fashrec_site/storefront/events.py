"""What a visitor does, told to the API: views, favourites, carts and dismissals."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from fashrec_site.storefront.api import change
from fashrec_site.storefront.pages import back, next_url, page, sorry
from fashrec_site.storefront.visitor import VISITOR_COOKIE, new_token, remember, visitor_of

KINDS = ("VIEW", "FAVOURITE", "UNFAVOURITE", "CART", "DISMISSAL")


class EventForm(forms.Form):
    """One event as a page's form sends it; `key` is the form's, so a double click counts once."""

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    item = forms.CharField(max_length=200)
    key = forms.CharField(max_length=100)
    recommendation = forms.CharField(max_length=100, required=False)

    def as_event(self) -> dict[str, Any]:
        """The cleaned form as GraphQL's EventInput."""
        return new_event(
            self.cleaned_data["kind"],
            self.cleaned_data["item"],
            self.cleaned_data["key"],
            self.cleaned_data["recommendation"],
        )


def new_event(kind: str, item_id: str, key: str, recommendation_id: str | None) -> dict[str, Any]:
    """GraphQL's EventInput."""
    return {
        "kind": kind,
        "itemId": item_id,
        "key": key,
        "recommendationId": recommendation_id or None,
    }


def new_key() -> str:
    """An idempotency key for a form: sent twice, it is one event."""
    return str(uuid.uuid4())


@page
@require_POST
def record(request: HttpRequest) -> HttpResponse:
    """Record one event; the button in its new state, or for browsers without scripts the page."""
    form = EventForm(request.POST)
    if not form.is_valid():
        return sorry(request, 400, "That form was not complete.")
    event = form.as_event()
    if request.htmx and event["kind"] in ("FAVOURITE", "UNFAVOURITE"):
        context = {
            "product": {"itemId": event["itemId"], "title": request.POST.get("title", "")},
            "recommendation": event["recommendationId"],
            "is_favourite": event["kind"] == "FAVOURITE",
            "is_swapped": True,
            "next": next_url(request),
        }
        response = render(request, "storefront/favourite.html", context)
    else:
        response = HttpResponse(status=204) if request.htmx else back(request)
    return record_events(request, [event], response)


def record_events(
    request: HttpRequest, events: Sequence[dict[str, Any]], response: HttpResponse
) -> HttpResponse:
    """Tell the API; `response`, with the token of a stranger who did something for the first time.

    Raises:
        ApiError: nothing was recorded.
    """
    visitor = visitor_of(request)
    token = None if visitor.account else visitor.session_token or new_token()
    change(request, "record_events", events=[event | {"sessionToken": token} for event in events])
    if token is not None:
        remember(response, VISITOR_COOKIE, token)
    return response
