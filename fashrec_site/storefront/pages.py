"""What every page has in common: its visitor's rate limit, and a friendly answer to API errors."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from fashrec_site.access.guard import seconds_until_allowed
from fashrec_site.storefront.api import ApiError

View = Callable[..., HttpResponse]
STATUS_OF_CODE = {
    "BAD_USER_INPUT": HTTPStatus.BAD_REQUEST,
    "QUERY_TOO_EXPENSIVE": HTTPStatus.BAD_REQUEST,
    "CONFLICT": HTTPStatus.CONFLICT,
    "FORBIDDEN": HTTPStatus.FORBIDDEN,
    "RATE_LIMITED": HTTPStatus.TOO_MANY_REQUESTS,
}


def page(view: View) -> View:
    """The view for visitors who do not ask too often; the API's errors become pages."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        seconds = seconds_until_allowed(request)
        if seconds is not None:
            message = f"Those were many pages in a short time. Please wait {seconds:.0f} seconds."
            return sorry(request, HTTPStatus.TOO_MANY_REQUESTS, message, retry_after=seconds)
        try:
            return view(request, *args, **kwargs)
        except ApiError as error:
            return _answer_to(request, error)

    return answer


def sorry(
    request: HttpRequest, status: int, message: str, retry_after: float | None = None
) -> HttpResponse:
    """A page that says what went wrong, and how to go on."""
    context = {"message": message, "status": int(status)}
    response = render(request, "storefront/sorry.html", context, status=int(status))
    if retry_after is not None:
        response["Retry-After"] = f"{retry_after:.0f}"
    return response


def _answer_to(request: HttpRequest, error: ApiError) -> HttpResponse:
    if error.code == "NOT_FOUND":
        raise Http404(str(error)) from error
    if error.code == "UNAUTHENTICATED":
        return to_login(request)
    status = STATUS_OF_CODE.get(error.code, HTTPStatus.SERVICE_UNAVAILABLE)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return sorry(request, status, "The shop does not answer right now. Please try again soon.")
    return sorry(request, status, str(error))


def to_login(request: HttpRequest) -> HttpResponse:
    """The way to the login and back to this page."""
    return redirect(f"{reverse('login')}?{urlencode({'next': request.get_full_path()})}")


def back(request: HttpRequest, default: str = "home") -> HttpResponse:
    """Back to the page of our own that the form names in `next`."""
    return redirect(next_url(request) or reverse(default))


def next_url(request: HttpRequest) -> str:
    """The address in `next` if it is on this site, else nothing: links may be forged."""
    url = request.POST.get("next") or request.GET.get("next", "")
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure())
    return url if is_ours else ""
