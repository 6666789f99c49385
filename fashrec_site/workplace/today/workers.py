"""Which Celery workers answer, and how many messages wait in each queue."""

from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.core.cache import cache
from kombu import Connection
from kombu.exceptions import OperationalError

from embeddings.photo_search.tasks import QUEUE as PHOTO_QUEUE

QUEUES = {"celery": "embeddings, webhooks, evaluations", PHOTO_QUEUE: "search by photo"}
ANSWER_SECONDS = 0.5
SHOWN_FOR_SECONDS = 15
KEY = "workplace:workers"


@dataclass(frozen=True)
class Queue:
    """One queue: who serves it, and what waits."""

    name: str
    purpose: str
    workers: list[str]
    n_waiting: int


@dataclass(frozen=True)
class Workers:
    """The queues, or why nothing is known of them."""

    queues: list[Queue]
    problem: str = ""


def workers() -> Workers:
    """As of some seconds ago; a broker that is down is an answer too, within about two seconds."""
    known = cache.get(KEY)
    if known is None:
        known = _asked()
        cache.set(KEY, known, SHOWN_FOR_SECONDS)
    return known


def _asked() -> Workers:
    try:
        with current_app.connection_for_write() as connection:
            serving = _serving(connection)
            return Workers(
                [
                    Queue(name, purpose, serving.get(name, []), _length(connection, name))
                    for name, purpose in QUEUES.items()
                ]
            )
    except (OperationalError, OSError) as error:
        return Workers([], f"Redis does not answer: {error}")


def _serving(connection: Connection) -> dict[str, list[str]]:
    """The workers' names by queue; their main processes answer while their pools are busy."""
    answers: list[dict[str, list[dict[str, Any]]]] = current_app.control.broadcast(
        "active_queues", reply=True, timeout=ANSWER_SECONDS, connection=connection
    )
    serving: dict[str, list[str]] = {}
    for answer in answers or []:
        for worker, queues in answer.items():
            for queue in queues:
                serving.setdefault(queue["name"], []).append(worker)
    return serving


def _length(connection: Connection, queue: str) -> int:
    return connection.default_channel._size(queue)
