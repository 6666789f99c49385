"""The Celery application; PostgreSQL rows are the truth, so no results are kept in Redis."""

import os
from typing import Any

from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError

# A publish that Redis does not take within about two seconds is abandoned: a web request waits for
# it, and the rows say what is still to be done.
PUBLISH_OPTIONS = {
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "max_retries": 0,
    "connect_retries_timeout": 1,
}


class FashrecCelery(Celery):
    """Celery whose broker is REDIS_URL or, without it, the embedded Redis, started on first use."""

    def connection_for_write(self, url: str | None = None, **kwargs: Any) -> Connection:
        """A broker connection for publishing, which gives up quickly."""
        options = PUBLISH_OPTIONS | (kwargs.pop("transport_options", None) or {})
        broker_url = url or self._broker_url(timeout_seconds=1)
        return super().connection_for_write(broker_url, transport_options=options, **kwargs)

    def connection_for_read(self, url: str | None = None, **kwargs: Any) -> Connection:
        """A broker connection for consuming."""
        return super().connection_for_read(url or self._broker_url(), **kwargs)

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        """Publish; an embedded Redis that died since the last time is started again first."""
        self._broker_url(timeout_seconds=1)
        return super().send_task(*args, **kwargs)

    def _broker_url(self, timeout_seconds: float = 60) -> str:
        from django.conf import settings

        if settings.REDIS_URL:
            return settings.REDIS_URL
        from fashrec_site.embedded import redis
        from fashrec_site.embedded.service_account import EmbeddedServerError

        try:
            return redis.ensure_running(settings.FASHREC_HOME, timeout_seconds=timeout_seconds)
        except EmbeddedServerError as error:
            raise OperationalError(str(error)) from error


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashrec_site.settings")

app = FashrecCelery("fashrec")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
