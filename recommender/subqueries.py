"""Querysets inside statements of our own, with their values by name."""

import re
from collections.abc import Iterator

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from recommender.relevance import Subquery


def subquery_of(rows: QuerySet, prefix: str) -> Subquery | None:
    """The SQL of a queryset of `values`, whose own values are named after `prefix`.

    None where no row can be in it.
    """
    try:
        sql, values = rows.order_by().query.sql_with_params()
    except EmptyResultSet:
        return None
    names = [f"{prefix}_{number}" for number in range(len(values))]
    return Subquery(_named(sql, iter(names)), dict(zip(names, values, strict=True)))


def _named(sql: str, names: Iterator[str]) -> str:
    """The SQL with %(name)s for each %s; a doubled percent sign is none of them."""
    return re.sub("%%|%s", lambda found: "%%" if found[0] == "%%" else f"%({next(names)})s", sql)
