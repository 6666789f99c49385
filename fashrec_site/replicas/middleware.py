"""Which requests may read from a replica, and what happens when it dies under one."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from fashrec_site.replicas.reads import read_from_primary, request_reads


class ReplicaMiddleware:
    """Pages and GraphQL read from a replica; forms and the admin, which edits, from the primary.

    It is the innermost middleware: a request that lost its replica half-way and has written nothing
    is answered once more, by the primary.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The view's response."""
        if not _may_read_from_replica(request):
            return self.get_response(request)
        with request_reads() as reads:
            response = self.get_response(request)
        if not reads.has_lost_replica or reads.has_written:
            return response
        with request_reads():
            read_from_primary()
            return self.get_response(request)


def _may_read_from_replica(request: HttpRequest) -> bool:
    if request.path == reverse("graphql"):
        return True  # a mutation says so itself: `read_from_primary`
    return request.method in ("GET", "HEAD") and not request.path.startswith(reverse("admin:index"))
