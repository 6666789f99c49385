"""The embedded servers of the benchmark's own home."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command

from fashrec_site.embedded import postgres, redis


@contextmanager
def embedded_servers() -> Iterator[None]:
    """PostgreSQL and Redis while this lasts; migrated."""
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        for server in (redis, postgres):
            server.stop(settings.FASHREC_HOME)
