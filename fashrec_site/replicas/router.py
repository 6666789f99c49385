"""Django's database router: our own tables may be read from a replica, the rest never."""

from typing import Any

from django.db.models import Model

from fashrec_site.replicas import PRIMARY
from fashrec_site.replicas.reads import WRITTEN_IN_PASSING, current_reads

# Sessions, users and permissions, and whatever another package keeps, must never be old.
REPLICATED_APPS = frozenset({"catalog", "shoppers", "embeddings", "recommender"})


class ReplicaRouter:
    """Reads of a request that only reads go to a replica, everything else to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """The request's choice for our own tables."""
        reads = current_reads()
        if reads is None or not _is_replicated(model):
            return PRIMARY
        return reads.alias()

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """The primary."""
        return PRIMARY

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        """Rows are the same wherever they were read."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Replicas get their tables from the primary."""
        return db == PRIMARY


def _is_replicated(model: type[Model]) -> bool:
    return (
        model._meta.app_label in REPLICATED_APPS and model._meta.db_table not in WRITTEN_IN_PASSING
    )
