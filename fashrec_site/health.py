"""`/health/live` and `/health/ready`, for load balancers and container engines."""

import logging
from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError

from fashrec_site.celery import app

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answers the probes before anything else does.

    Probes come by address and without TLS, so the checks of the Host header and of https would
    refuse them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The probe's answer, or the site's."""
        probe = {"/health/live": live, "/health/ready": ready}.get(request.path_info.rstrip("/"))
        return probe(request) if probe else self.get_response(request)


def live(request: HttpRequest) -> JsonResponse:
    """Whether this process answers; nothing else is asked, so that nothing else restarts it."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Whether this process can serve: 200, or 503 without its database or its latest migrations.

    Redis is told and not required: pages and queries need none, and tasks are enqueued later.
    """
    database = _database_state()
    is_ready = database == "up"
    states = {"database": database, "redis": _redis_state()}
    status = {"status": "ready" if is_ready else "not ready", **states}
    return JsonResponse(status, status=200 if is_ready else 503)


def _database_state() -> str:
    try:
        executor = MigrationExecutor(connection)
        is_behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        logger.warning("Not ready, the database fails: %s", error)
        return "down"
    return "not migrated" if is_behind else "up"


def _redis_state() -> str:
    try:
        with app.connection_for_write() as broker:
            broker.default_channel  # noqa: B018  # connects and pings
    except (OperationalError, OSError) as error:
        logger.warning("Redis fails: %s", error)
        return "down"
    return "up"
