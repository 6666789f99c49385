"""`manage.py stop_servers`: stop the embedded PostgreSQL and Redis of this FASHREC_HOME."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from fashrec_site.embedded import postgres, redis
from fashrec_site.embedded.service_account import EmbeddedServerError


class Command(BaseCommand):
    """Stops what the other commands started; the data stays."""

    help = "Stop the embedded PostgreSQL and Redis of FASHREC_HOME (demo and test too); data stays."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stop the servers of this home, its demo, tests and benchmarks; say which were running."""
        home = settings.FASHREC_HOME
        stopped, errors = [], []
        parts = [home / name for name in ("demo", "test", "benchmark")]
        # Tests in several processes have a home each, and each benchmark of a size its own.
        inner = [part for name in ("test/gw*", "benchmark/*") for part in sorted(home.glob(name))]
        for place in (home, *parts, *inner):
            for name, server in (("PostgreSQL", postgres), ("Redis", redis)):
                try:
                    if server.stop(place):
                        stopped.append(f"{name} of {place}")
                except EmbeddedServerError as error:
                    errors.append(str(error))
        self.stdout.write(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
        if errors:
            raise CommandError(" ".join(errors))
