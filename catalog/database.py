"""Where SQL of our own goes to, when it only reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from catalog.models import Product


def reading_connection() -> BaseDatabaseWrapper:
    """The connection that the ORM would read the catalogue from at this moment.

    A read replica's in a request that has only read so far, else the primary's: after a write,
    inside a transaction on the primary, in workers and commands. Never write through it, and open
    transactions around it with `transaction.atomic(using=reading_connection().alias)`.
    """
    return connections[router.db_for_read(Product)]


def fetch_planned(
    connection: BaseDatabaseWrapper, sql: str, parameters: Mapping[str, Any] | Sequence[Any]
) -> list[tuple[Any, ...]]:
    """The rows of a statement that is planned for its values."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def fetch_prepared(
    connection: BaseDatabaseWrapper, sql: str, parameters: Mapping[str, Any] | Sequence[Any]
) -> list[tuple[Any, ...]]:
    """The rows of a statement that the server parses and plans once per connection.

    For one that takes milliseconds to plan and is asked again and again. Its connection must allow
    prepared statements, and want generic plans of them (both in the settings); else it is planned
    each time.
    """
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,  # Django's own writes values into the text
    ):
        return cursor.execute(sql, parameters, prepare=True).fetchall()
