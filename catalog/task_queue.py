"""The one way in which edges (commands, resolvers, admin) hand work to Celery."""

import logging
from functools import partial
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def enqueue(task: Task, *args: Any, expires_seconds: float | None = None) -> bool:
    """Publish `task(*args)` once the current transaction has committed; never raises for Redis.

    The rows say what is still to be done and a beat task enqueues it again, so a message that
    could not be sent is a delay and not a loss: it is given up after about two seconds, with one
    warning. A message older than `expires_seconds` is dropped by the worker that reads it.

    Returns:
        False when publishing was tried and failed; True when the message was sent, or will be
        tried after the commit.
    """
    if transaction.get_connection().in_atomic_block:
        transaction.on_commit(partial(_publish, task, args, expires_seconds))
        return True
    return _publish(task, args, expires_seconds)


def _publish(task: Task, args: tuple[Any, ...], expires_seconds: float | None) -> bool:
    try:
        task.apply_async(args, retry=False, expires=expires_seconds)
    except (OperationalError, OSError) as error:
        logger.warning("%s was not enqueued and stays to be done: %s", task.name, error)
        return False
    return True
