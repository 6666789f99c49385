"""What stands before the API's views: keys, rate limits, and no requests from foreign pages."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from limits import parse

from catalog.graphql_errors import ErrorCode
from fashrec_site.access.addresses import counted_address
from fashrec_site.access.keys import find_key, note_use
from fashrec_site.access.rate_limits import limiter

View = Callable[..., HttpResponseBase]


def guarded(view: View) -> View:
    """The view for whoever may call it; others get a coded error and touch nothing.

    A request with a key is its key's alone: its cookies are not looked at, so no foreign page can
    use them. A session needs Django's CSRF token to POST. A stranger's POST must be JSON, which a
    browser sends across origins only after asking, and nobody says yes.
    """

    @csrf_exempt  # checked here, and answered in JSON
    @wraps(view)
    def guard(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        refusal = _check_key(request) or _check_rate(request) or _check_origin(request)
        return refusal or view(request, *args, **kwargs)

    return guard


def refuse(status: int, code: ErrorCode, message: str, **headers: str) -> JsonResponse:
    """An HTTP error in the shape of GraphQL's."""
    error = {"message": message, "extensions": {"code": code.value}}
    return JsonResponse({"data": None, "errors": [error]}, status=status, headers=headers)


def _check_key(request: HttpRequest) -> JsonResponse | None:
    """Take over the key's identity, where one is given."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    row = find_key(key.strip(), now=timezone.now())
    if row is None:
        message = "This API key is unknown, expired or revoked."
        limited = _check_rate(request)  # by address, so that nobody tries keys for long
        headers = {"WWW-Authenticate": "Bearer"}
        return limited or refuse(401, ErrorCode.UNAUTHENTICATED, message, **headers)
    note_use(row, now=timezone.now())
    request.user = AnonymousUser()
    request.api_key, request.key_scopes = row, row.scopes
    return None


def seconds_until_allowed(request: HttpRequest) -> float | None:
    """Count the request to its key or address; None, or how long to wait for the next one."""
    rate, who = _rate(request)
    return limiter.hit(parse(rate), who) if rate else None


def _rate(request: HttpRequest) -> tuple[str, str]:
    """How often, and whose requests are counted together."""
    key = getattr(request, "api_key", None)
    if key is not None:
        return key.rate_limit or settings.FASHREC_RATE_LIMIT_PER_KEY, f"key:{key.pk}"
    return settings.FASHREC_RATE_LIMIT, f"address:{counted_address(request)}"


def _check_rate(request: HttpRequest) -> JsonResponse | None:
    seconds = seconds_until_allowed(request)
    if seconds is None:
        return None
    message = f"More than {_rate(request)[0]} requests; try again in {seconds} s."
    return refuse(429, ErrorCode.RATE_LIMITED, message, **{"Retry-After": str(seconds)})


class _Csrf(CsrfViewMiddleware):
    """Django's check, with the reason as its answer."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason

    def refusal(self, request: HttpRequest) -> str | None:
        """Why the request is refused, if it is."""
        self.process_request(request)
        return self.process_view(request, None, (), {})

    def foreign_origin(self, request: HttpRequest) -> bool:
        """Whether a page of another origin sent it."""
        return "HTTP_ORIGIN" in request.META and not self._origin_verified(request)


def _check_origin(request: HttpRequest) -> JsonResponse | None:
    """Refuse what a foreign page could have made a browser send."""
    if hasattr(request, "api_key") or request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    csrf = _Csrf(lambda _: None)
    if csrf.foreign_origin(request):
        return refuse(403, ErrorCode.FORBIDDEN, "Requests from other origins are refused.")
    # The cookie and not the user: looking up whose it is costs two queries.
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    if has_session and (reason := csrf.refusal(request)):
        message = f"CSRF check failed: {reason} Send the csrftoken cookie's value as X-CSRFToken."
        return refuse(403, ErrorCode.FORBIDDEN, message)
    return None
