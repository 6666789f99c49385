"""gunicorn's settings, read by `gunicorn fashrec_site.wsgi` when run in this folder."""

import gc
import os
import sys
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

os.environ.setdefault("DATABASE_POOL", "1")  # a thread borrows a connection for one request
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_SECONDS", "3")

bind = f"{os.environ.get('BIND') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"
worker_class = "gthread"
threads = 4  # the pool has as many connections
# PostgreSQL allows 100 connections unless told otherwise; 8 workers hold at most 32.
workers = int(os.environ.get("WEB_CONCURRENCY") or min(8, max(2, os.cpu_count() or 2)))
timeout = 30
graceful_timeout = 30  # a request under way at SIGTERM is finished
keepalive = 5
max_requests = 10_000  # a slow leak never grows old; the jitter keeps workers from leaving together
max_requests_jitter = 1_000
control_socket_disable = True  # it would lie outside FASHREC_HOME, one for all of a user's servers
errorlog = "-"  # stderr; the proxy in front keeps the access log
# Whose word that a request came by https is taken. X-Forwarded-For is never read.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"
if Path("/dev/shm").is_dir():  # noqa: S108  # memory: a heartbeat must not wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def on_starting(server: Arbiter) -> None:
    """Refuse a wrong configuration in one line, before workers fail one after another.

    `FASHREC_NICENESS` makes a web server that serves uploads alone wait for one that serves reads.
    """
    from catalog.niceness import give_way

    niceness = os.environ.get("FASHREC_NICENESS") or "0"
    if niceness not in map(str, range(20)):
        sys.exit(f"configuration: FASHREC_NICENESS is a number from 0 to 19; got {niceness!r}")
    give_way(int(niceness))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashrec_site.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings.SECRET_KEY  # noqa: B018  # reads the settings
    except ImproperlyConfigured as error:
        sys.exit(f"configuration: {error}")


def post_worker_init(worker: Worker) -> None:
    """Load what the first request would, and spare it from garbage collection.

    What is imported stays for ever, a quarter of a million objects: a collection that looks at them
    all stops every thread for .15 s, which was seen every 8 s at 40 requests a second.
    """
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  # imports the views and the GraphQL schema
    gc.collect()
    gc.freeze()
