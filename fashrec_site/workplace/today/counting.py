"""Several counts in one round trip."""

from collections.abc import Mapping

from django.db.models import QuerySet

from catalog.database import reading_connection


def counted(rows: Mapping[str, QuerySet]) -> dict[str, int]:
    """How many rows each queryset has. One statement."""
    parts, parameters = [], []
    for queryset in rows.values():
        sql, values = queryset.order_by().values("pk").query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS x)")  # noqa: S608 - Django wrote it
        parameters += values
    with reading_connection().cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return dict(zip(rows, cursor.fetchone(), strict=True))
