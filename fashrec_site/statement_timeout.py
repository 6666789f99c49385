"""Statements that take too long for a request: cancelled by PostgreSQL, and answered as such.

The connection is as good as before, so the pool keeps it.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

QUERY_CANCELED = "57014"  # PostgreSQL's code for statement_timeout, and for pg_cancel_backend
MESSAGE = "This took too long and was given up; ask for less, or try again later."
RETRY_AFTER_SECONDS = 5


def limit_statements(database: dict[str, Any], seconds: float) -> None:
    """Let the server of a Django database setting cancel what takes longer, lock waits included."""
    options = database.setdefault("OPTIONS", {})
    limit = f"-c statement_timeout={round(seconds * 1000)}"
    options["options"] = " ".join(filter(None, [options.get("options"), limit]))


def is_timeout(error: BaseException | None) -> bool:
    """Whether a statement was cancelled: psycopg's error, or Django's around it."""
    codes = {getattr(e, "sqlstate", None) for e in (error, getattr(error, "__cause__", None))}
    return QUERY_CANCELED in codes


class StatementTimeoutMiddleware:
    """Pages whose statement was cancelled are 503; GraphQL has its own answer (`coded_errors`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The view's response."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """503 in words; None leaves any other error to Django."""
        if not is_timeout(error):
            return None
        logger.warning("A statement of %s was cancelled", request.path)
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return HttpResponse(MESSAGE, content_type="text/plain", status=503, headers=headers)
