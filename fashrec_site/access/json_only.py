"""For views whose POST body is JSON: whatever a form could send is refused."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from catalog.graphql_errors import ErrorCode
from fashrec_site.access.guard import refuse

View = Callable[..., HttpResponseBase]


def json_only(view: View) -> View:
    """The view, which sees a POST only where its content type is exactly JSON.

    Forms of foreign pages can send text/plain, multipart and url-encoded bodies with a shopper's
    cookies; and `text/plain; application/json` would pass for JSON with a careless reader.
    """

    @wraps(view)
    def check(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method == "POST" and request.content_type != "application/json":
            message = f"expected Content-Type: application/json; got {request.content_type!r}"
            return refuse(400, ErrorCode.BAD_USER_INPUT, message)
        return view(request, *args, **kwargs)

    return check
