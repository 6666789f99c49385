"""System checks of what the site runs on."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

MINIMUM_PGVECTOR = (0, 8, 4)  # earlier ones can corrupt an HNSW index while vacuuming


@register(Tags.database)
def check_pgvector(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """The pgvector library of each checked database is recent enough."""
    messages = (_pgvector_message(alias) for alias in databases or ())
    return [message for message in messages if message]


def _pgvector_message(alias: str) -> CheckMessage | None:
    needed = ".".join(map(str, MINIMUM_PGVECTOR))
    with connections[alias].cursor() as cursor:
        # The library's version, which an extension made long ago may lag behind.
        cursor.execute("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        row = cursor.fetchone()
    if row is None:
        return Error(
            f"The PostgreSQL server of database '{alias}' has no pgvector extension.",
            hint=f"Install pgvector {needed} or later on the server.",
            id="fashrec.E001",
        )
    if tuple(map(int, row[0].split("."))) < MINIMUM_PGVECTOR:
        return Error(
            f"The PostgreSQL server of database '{alias}' has pgvector {row[0]}; "
            f"{needed} or later is needed, as earlier ones can corrupt an index at vacuum.",
            hint="Upgrade pgvector on the server, then ALTER EXTENSION vector UPDATE and REINDEX.",
            id="fashrec.E002",
        )
    return None
