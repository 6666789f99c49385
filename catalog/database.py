"""Where SQL of our own goes to, when it only reads."""

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
