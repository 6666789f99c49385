"""`manage.py dbshell` on the embedded server, with the wheel's psql."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import client
from django.db.utils import OperationalError

from fashrec_site.embedded import postgres
from fashrec_site.embedded.service_account import EmbeddedServerError


class DatabaseClient(client.DatabaseClient):
    """psql of the server's own version; no PostgreSQL client needs to be installed."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """The command line and environment of psql, the server started first if need be."""
        try:
            host = postgres.ensure_running(settings.FASHREC_HOME)
        except EmbeddedServerError as error:
            raise OperationalError(str(error)) from error
        server = {"HOST": host, "PORT": postgres.PORT, "USER": postgres.USER}
        (_, *arguments), environment = super().settings_to_cmd_args_env(
            {**settings_dict, **server}, parameters
        )
        psql = postgres.program(settings.FASHREC_HOME, "psql")
        return [str(psql), *arguments], environment
