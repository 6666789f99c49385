"""Whether any Celery worker serves a queue."""

from typing import Any

from celery import current_app
from kombu import Connection


class _Served(Exception):  # noqa: N818 - an answer that need not wait for the others
    """A worker serves the queue."""


def is_served(queue: str, *, timeout_seconds: float, connection: Connection | None = None) -> bool:
    """Whether a worker that takes messages of `queue` answers; True as soon as one does.

    Its main process answers also while its pool is busy.

    Raises:
        OperationalError, OSError: the broker cannot be reached.
    """

    def look(answer: dict[str, list[dict[str, Any]]]) -> None:
        (queues,) = answer.values()
        if any(served["name"] == queue for served in queues):
            raise _Served

    try:
        current_app.control.broadcast(
            "active_queues",
            reply=True,
            timeout=timeout_seconds,
            callback=look,
            connection=connection,
        )
    except _Served:
        return True
    return False
