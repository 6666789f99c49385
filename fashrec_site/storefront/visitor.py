"""Who visits: a shopper who is logged in, or a browser with a token of its own; and from where."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from fashrec_site.storefront.api import ApiError, ask
from fashrec_site.storefront.bag import Bag
from fashrec_site.storefront.report import may_see_report
from shoppers.sessions import LONGEST_TOKEN, SHORTEST_TOKEN

VISITOR_COOKIE = "visitor"
PLACE_COOKIE = "place"
COOKIE_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Visitor:
    """`account` is the API's `me`; `session_token` is set once a stranger did something."""

    account: dict[str, Any] | None = None
    session_token: str | None = None
    place: dict[str, float] | None = None  # as GraphQL's LatLng

    @property
    def is_known(self) -> bool:
        """Whether the API may have something that they did."""
        return bool(self.account or self.session_token)


def visitor_of(request: HttpRequest) -> Visitor:
    """The request's visitor, looked up once."""
    if not hasattr(request, "storefront_visitor"):
        request.storefront_visitor = _visitor(request)
    return request.storefront_visitor


def _visitor(request: HttpRequest) -> Visitor:
    account = ask(request, "me")["me"] if request.user.is_authenticated else None
    place = _place(request.COOKIES.get(PLACE_COOKIE, "")) or _home(account)
    return Visitor(account, None if account else _token(request), place)


def _token(request: HttpRequest) -> str | None:
    token = request.COOKIES.get(VISITOR_COOKIE, "")
    return token if SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN else None


def _place(text: str) -> dict[str, float] | None:
    """The place of a cookie "48.21,16.37"; None for anything else."""
    try:
        latitude, longitude = map(float, text.split(","))
    except ValueError:
        return None
    on_earth = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return {"latitude": latitude, "longitude": longitude} if on_earth else None


def _home(account: dict[str, Any] | None) -> dict[str, float] | None:
    if account is None or account["latitude"] is None:
        return None
    return {name: account[name] for name in ("latitude", "longitude")}


def new_token() -> str:
    """A secret for a browser that does something for the first time."""
    return secrets.token_urlsafe(24)


def recognise(request: HttpRequest, response: HttpResponse) -> None:
    """Give a stranger a token with a page that records that it was looked at.

    Earlier than the record itself: a first heart at the same moment would get another token, and
    what it recorded would belong to nobody once the browser keeps one of the two.
    """
    visitor = visitor_of(request)
    if not visitor.is_known:
        remember(response, VISITOR_COOKIE, new_token())


def remember(response: HttpResponse, cookie: str, value: str) -> None:
    """Keep a value in the visitor's browser, out of reach of scripts and other sites."""
    response.set_cookie(
        cookie,
        value,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def favourite_ids(request: HttpRequest) -> frozenset[str]:
    """Item ids whose heart is full on every page; none where the API does not say."""
    visitor = visitor_of(request)
    if not visitor.is_known:
        return frozenset()
    try:
        data = ask(request, "favourite_ids", sessionToken=visitor.session_token)
    except ApiError:
        return frozenset()
    return frozenset(edge["node"]["itemId"] for edge in data["favourites"]["edges"])


def storefront(request: HttpRequest) -> dict[str, Any]:
    """Template context processor: what the storefront's header needs, asked when it is drawn."""
    return {
        "visitor": SimpleLazyObject(lambda: _visitor_for_header(request)),
        "favourites": SimpleLazyObject(lambda: favourite_ids(request)),
        "bag": SimpleLazyObject(lambda: Bag(request)),
        "is_demo": settings.FASHREC_DEMO,
        "currency": settings.FASHREC_CURRENCY,
        "has_report": SimpleLazyObject(lambda: may_see_report(request)),
    }


def _visitor_for_header(request: HttpRequest) -> Visitor:
    """Nobody in particular where the API fails: its error page has a header, too."""
    try:
        return visitor_of(request)
    except ApiError:
        return Visitor()
