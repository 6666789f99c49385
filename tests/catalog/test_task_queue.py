"""Handing work to Celery: after the commit, quickly, and never failing the caller."""

import base64
import contextlib
import json
import os
import signal
import time

import pytest
import redis
from celery import Celery
from django.db import transaction
from kombu import Connection

from catalog import task_queue
from catalog.task_queue import enqueue
from fashrec_site.celery import FashrecCelery
from fashrec_site.embedded import redis as embedded_redis
from tests.fashrec_site.embedded_home import kill, redis_servers, temporary_home

QUEUE = "celery"  # the default one


@pytest.fixture
def home():
    with temporary_home() as place:
        yield place


@pytest.fixture
def app(home, settings):
    """An application of one's own on a Redis of one's own, as REDIS_URL would name it."""
    settings.REDIS_URL = embedded_redis.ensure_running(home)
    application = FashrecCelery("test_task_queue", set_as_current=False)
    yield application
    application.close()


@pytest.fixture
def task(app: Celery):
    @app.task(name="catalog.measure")
    def measure(n):
        return n

    return measure


def newest_message(home) -> list[int]:
    """The arguments of the message that was sent last."""
    with redis.Redis(unix_socket_path=str(home / "servers/run/redis.sock")) as client:
        message = json.loads(client.lindex(QUEUE, 0))
    return json.loads(base64.b64decode(message["body"]))[0]


def n_messages(home) -> int:
    with redis.Redis(unix_socket_path=str(home / "servers/run/redis.sock")) as client:
        return client.llen(QUEUE)


@pytest.mark.django_db(transaction=True)
def test_a_message_is_sent_after_the_commit_and_not_after_a_rollback(home, task):
    with transaction.atomic():
        assert enqueue(task, 1) is True
        assert n_messages(home) == 0
    assert n_messages(home) == 1

    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        enqueue(task, 2)
        raise ZeroDivisionError
    assert n_messages(home) == 1


@pytest.mark.django_db(transaction=True)
def test_a_stalled_or_dead_redis_is_one_warning_and_a_recovered_one_is_used(
    home, task, monkeypatch
):
    warnings = []
    monkeypatch.setattr(
        task_queue.logger, "warning", lambda text, *given: warnings.append(text % given)
    )
    assert enqueue(task, 1) is True
    [server] = redis_servers(home)

    started = time.monotonic()
    os.kill(server.pid, signal.SIGSTOP)
    assert enqueue(task, 2) is False
    print(f"given up after {time.monotonic() - started:.2f} s while stalled")
    os.kill(server.pid, signal.SIGCONT)
    kill(server)
    started = time.monotonic()
    assert enqueue(task, 3) is False
    assert enqueue(task, 3) is False
    print(f"given up after {(time.monotonic() - started) / 2:.2f} s while dead")
    embedded_redis.ensure_running(home)
    assert enqueue(task, 4) is True

    assert len(warnings) == 3
    assert warnings[0].startswith("catalog.measure was not enqueued and stays to be done: ")
    assert newest_message(home) == [4]
    assert n_messages(home) <= 3  # what it had been told it may have kept, see below


@pytest.mark.django_db(transaction=True)
def test_an_embedded_redis_that_died_is_started_again_by_the_next_message(home, task, settings):
    settings.REDIS_URL, settings.FASHREC_HOME = "", home
    assert enqueue(task, 1) is True
    [server] = redis_servers(home)
    kill(server)

    assert enqueue(task, 2) is True
    assert newest_message(home) == [2]
    # The first one may be lost: with fsync every second, Redis answers before it has written
    # while an earlier fsync is still under way. The rows say what is to be done, not Redis.
    assert n_messages(home) <= 2


def test_only_publishing_gives_up_quickly(app):
    with app.connection_for_write() as write, app.connection_for_read() as read:
        assert isinstance(write, Connection)
        assert write.transport_options["max_retries"] == 0
        assert write.transport_options["socket_timeout"] == 1
        assert "max_retries" not in read.transport_options
