"""GraphQL of accounts: who am I, log in, log out, sign up."""

from typing import Annotated

import strawberry
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from limits import parse

from catalog.graphql_cost import BASIC, cost
from catalog.graphql_errors import ErrorCode, coded_error
from catalog.graphql_mutations import invalid, mutation
from catalog.models import Gender
from catalog.types import Gender as GenderType
from fashrec_site.access.addresses import counted_address
from fashrec_site.access.login import LockedOut, check_password, sign_up
from fashrec_site.access.rate_limits import limiter
from shoppers.callers import own_shopper
from shoppers.models import Shopper
from shoppers.sessions import hashed, merge_session

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
SessionToken = Annotated[
    str | None,
    strawberry.argument(description="Of the anonymous session so far, to keep its events."),
]


@strawberry.type
class Account:
    """The shopper of the session."""

    external_id: str = strawberry.field(description="By which queries name the shopper.")
    username: str = strawberry.field(description="By which the shopper logs in.")
    gender: GenderType = strawberry.field(description="For whom products are recommended.")
    trendiness: float = strawberry.field(description="1 follows the crowd, 0 avoids it.")
    latitude: float | None = strawberry.field(description="Of their home, where it is known.")
    longitude: float | None = strawberry.field(description="Of their home, where it is known.")


@strawberry.type
class LoggedIn:
    """Who logged in; the answer's cookies are the session."""

    account: Account | None = strawberry.field(
        description="The shopper; null for staff who are none."
    )


@strawberry.type
class LoggedOut:
    """The session has ended."""

    was_logged_in: bool = strawberry.field(description="Whether there was a session to end.")


@strawberry.type
class AccountsQuery:
    """Who asks."""

    @strawberry.field(metadata=cost(BASIC))
    def me(self, info: strawberry.Info) -> Account | None:
        """The shopper whose session this is; null for everybody else."""
        shopper = own_shopper(info.context.request)
        return shopper and _account(shopper)


@strawberry.type
class AccountsMutation:
    """Sessions of shoppers."""

    @mutation(metadata=cost(BASIC))
    def login(
        self,
        info: strawberry.Info,
        username: Annotated[str, strawberry.argument(description="As given at the signup.")],
        password: Annotated[str, strawberry.argument(description="In plain text, over https.")],
        session_token: SessionToken = None,
    ) -> LoggedIn:
        """Begin a session: five wrong passwords in a row lock the name for a quarter of an hour."""
        request = _with_session(info)
        _check_rate(request, "login", settings.FASHREC_LOGIN_RATE_LIMIT)
        _check_token(session_token)
        try:
            user = check_password(request, username=username, password=password)
        except LockedOut as error:
            raise coded_error(ErrorCode.RATE_LIMITED, str(error)) from error
        if user is None:
            raise coded_error(ErrorCode.UNAUTHENTICATED, "Wrong user name or password.")
        return LoggedIn(account=_begin(request, user, session_token))

    @mutation(metadata=cost(BASIC))
    def signup(
        self,
        info: strawberry.Info,
        username: Annotated[str, strawberry.argument(description="Up to 150 characters.")],
        password: Annotated[str, strawberry.argument(description="Eight characters or more.")],
        gender: Annotated[
            GenderType, strawberry.argument(description="For whom to recommend products.")
        ] = Gender.UNISEX,
        session_token: SessionToken = None,
    ) -> LoggedIn:
        """Become a shopper, and begin a session."""
        request = _with_session(info)
        _check_rate(request, "signup", settings.FASHREC_SIGNUP_RATE_LIMIT)
        _check_token(session_token)
        shopper = sign_up(username=username, password=password, gender=Gender(gender))
        return LoggedIn(account=_begin(request, shopper.user, session_token))

    @mutation(metadata=cost(BASIC))
    def logout(self, info: strawberry.Info) -> LoggedOut:
        """End the session; without one, nothing happens."""
        request = info.context.request
        was_logged_in = request.user.is_authenticated and not hasattr(request, "api_key")
        if was_logged_in:
            logout(request)
        return LoggedOut(was_logged_in=was_logged_in)


def _with_session(info: strawberry.Info) -> HttpRequest:
    """The request, which may begin a session: one with a key may not."""
    request = info.context.request
    if hasattr(request, "api_key"):
        raise coded_error(ErrorCode.FORBIDDEN, "A key has no session: log in from the browser.")
    return request


def _check_rate(request: HttpRequest, what: str, rate: str) -> None:
    seconds = limiter.hit(parse(rate), what, counted_address(request)) if rate else None
    if seconds is not None:
        message = f"Too many attempts from your address; try again in {seconds} s."
        raise coded_error(ErrorCode.RATE_LIMITED, message)


def _check_token(session_token: str | None) -> None:
    """Refuse a bad token before a session begins."""
    try:
        if session_token is not None:
            hashed(session_token)
    except ValueError as error:
        raise invalid("session_token", str(error)) from error


def _begin(request: HttpRequest, user: User, session_token: str | None) -> Account | None:
    login(request, user, backend=MODEL_BACKEND)
    shopper = own_shopper(request)
    if shopper is None:
        return None
    if session_token is not None:
        merge_session(token=session_token, shopper=shopper, now=timezone.now())
    return _account(shopper)


def _account(shopper: Shopper) -> Account:
    return Account(
        external_id=shopper.external_id,
        username=shopper.user.get_username(),
        gender=shopper.gender,
        trendiness=shopper.trendiness,
        latitude=shopper.latitude,
        longitude=shopper.longitude,
    )
