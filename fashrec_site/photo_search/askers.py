"""Whose a search by photo is: a shopper's, a key's, or that of a stranger's browser."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from embeddings.photo_search.services import KEPT_FOR
from shoppers.callers import caller_of

COOKIE = "photo_search"


@dataclass(frozen=True)
class Asker:
    """Whoever begins a search, by the name that it is stored under."""

    name: str
    token: str | None = None  # of a stranger's cookie


def askers_of(request: HttpRequest) -> set[str]:
    """Everybody whose searches the request may read.

    A shopper also reads what the same browser asked for before the login. A key is its key alone.
    """
    key = getattr(request, "api_key", None)
    if key is not None:
        return {f"key:{key.pk}"}
    user_id, token = caller_of(request).user_id, request.COOKIES.get(COOKIE)
    askers = set() if user_id is None else {f"user:{user_id}"}
    return askers | ({_stranger(token)} if token else set())


def asker_of(request: HttpRequest) -> Asker:
    """To whom a new search of this request belongs; it is known to be theirs from now on."""
    key, user_id = getattr(request, "api_key", None), caller_of(request).user_id
    if key is not None:
        return Asker(f"key:{key.pk}")
    if user_id is not None:
        return Asker(f"user:{user_id}")
    token = request.COOKIES.setdefault(COOKIE, secrets.token_urlsafe(32))
    return Asker(_stranger(token), token)


def remember(response: HttpResponse, asker: Asker) -> None:
    """Let the stranger's browser, and no script in it, read for an hour what it began."""
    if asker.token is not None:
        response.set_cookie(
            COOKIE,
            asker.token,
            max_age=KEPT_FOR,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def _stranger(token: str) -> str:
    return f"stranger:{sha256(token.encode('utf-8', 'surrogateescape')).hexdigest()}"
