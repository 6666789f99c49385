"""The admin site: Unfold's, with pages of our own beside those of the models."""

from collections.abc import Callable
from typing import Any

from csp.constants import UNSAFE_EVAL
from csp.decorators import csp_update
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from unfold.sites import UnfoldAdminSite

# Alpine, which the theme is built on, makes functions of its attributes' text.
as_alpine_needs = csp_update({"script-src": [UNSAFE_EVAL]})


class WorkplaceSite(UnfoldAdminSite):
    """The admin of merchandisers, analysts and operators."""

    def admin_view(self, view: Callable, cacheable: bool = False) -> Callable:
        """A view behind the login, with what the theme needs of our content security policy."""
        return as_alpine_needs(super().admin_view(view, cacheable))

    @method_decorator(as_alpine_needs)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The one page before the login; the theme's form forgets where to go when nobody said."""
        request.GET = request.GET.copy()
        request.GET.setdefault(REDIRECT_FIELD_NAME, reverse("admin:index"))
        return super().login(request, extra_context)

    def extra_urls(self) -> list[URLPattern]:
        """Pages that belong to no model; each checks its own permission."""
        from fashrec_site.workplace.urls import workplace_urls

        return workplace_urls(self)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Unfold's, without its colours: it writes them into the page, which our CSP forbids.

        They come from `fashrec/workplace.css` instead.
        """
        return super().each_context(request) | {"colors": None}
