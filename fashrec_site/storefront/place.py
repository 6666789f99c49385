"""Where the visitor is: said once, kept in their browser, and sent to the API as `near`."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from fashrec_site.storefront.api import ask
from fashrec_site.storefront.pages import back, next_url, page
from fashrec_site.storefront.visitor import PLACE_COOKIE, remember


class PlaceForm(forms.Form):
    """A point on Earth, in degrees."""

    latitude = forms.FloatField(min_value=-90, max_value=90)
    longitude = forms.FloatField(min_value=-180, max_value=180)


@page
@require_http_methods(["GET", "POST"])
def place(request: HttpRequest) -> HttpResponse:
    """Choose a place: the browser's own, near a store, or by numbers."""
    form = PlaceForm(_posted(request))
    if form.is_valid():
        response = back(request)
        point = form.cleaned_data
        # Three digits are some hundred metres: near enough for a store, and nobody's door.
        remember(response, PLACE_COOKIE, f"{point['latitude']:.3f},{point['longitude']:.3f}")
        return response
    stores = [edge["node"] for edge in ask(request, "stores")["stores"]["edges"]]
    context = {"form": form, "stores": stores, "next": next_url(request)}
    return render(request, "storefront/place.html", context, status=422 if form.errors else 200)


@page
@require_http_methods(["POST"])
def forget_place(request: HttpRequest) -> HttpResponse:
    """Forget the place that was chosen."""
    response = back(request)
    response.delete_cookie(PLACE_COOKIE)
    return response


def _posted(request: HttpRequest) -> dict[str, str] | None:
    """The form's data; a store's button sends its place as one value."""
    if request.method != "POST":
        return None
    latitude, _, longitude = request.POST.get("point", "").partition(",")
    if longitude:
        return {"latitude": latitude, "longitude": longitude}
    return request.POST
