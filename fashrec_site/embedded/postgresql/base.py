"""The backend class that Django looks for in ENGINE's `base` module."""

from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.utils import OperationalError
from django.utils.asyncio import async_unsafe

from fashrec_site.embedded import postgres
from fashrec_site.embedded.postgresql.client import DatabaseClient
from fashrec_site.embedded.service_account import EmbeddedServerError


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL at the embedded server's socket; importing or configuring it starts nothing."""

    client_class = DatabaseClient
    _host: str | None = None  # of this process, once its server has answered

    def get_connection_params(self) -> dict[str, Any]:
        """Connection parameters of a server, started first if this process has not used it yet."""
        server = {"host": self._host or self._ensured_host(), "port": postgres.PORT}
        return {**super().get_connection_params(), **server, "user": postgres.USER}

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        """A connection; a server that died since it last answered is started again."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            self._ensured_host()
            return super().get_new_connection(conn_params)

    @classmethod
    def _ensured_host(cls) -> str:
        try:
            DatabaseWrapper._host = postgres.ensure_running(settings.FASHREC_HOME)
        except EmbeddedServerError as error:
            raise OperationalError(str(error)) from error
        return DatabaseWrapper._host
