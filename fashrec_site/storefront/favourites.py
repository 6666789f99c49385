"""What the visitor keeps."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fashrec_site.storefront.api import ask
from fashrec_site.storefront.pages import page
from fashrec_site.storefront.visitor import visitor_of


@page
def favourites(request: HttpRequest) -> HttpResponse:
    """The hundred latest favourites; before anything was kept there is nobody to ask about."""
    visitor = visitor_of(request)
    kept = None
    if visitor.is_known:
        kept = ask(request, "favourites", sessionToken=visitor.session_token)["favourites"]
    return render(request, "storefront/favourites.html", {"kept": kept})
