"""The recommendation log's partitions: one a day, made ahead, and dropped after thirty days.

A day is a range of keys, as keys begin with their time. What comes when its day has no partition
goes to the default one, and moves when the day's is made: no request ever waits for this.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import OperationalError, connection, transaction

from recommender.models import RecommendationLog
from recommender.set_ids import first_set_id

LOG = RecommendationLog._meta.db_table
DEFAULT = f"{LOG}_default"
DAYS_AHEAD = 7
DAYS_KEPT = 30
LOCK_TIMEOUT = "3s"  # requests queue behind a lock that waits; another run tries again


@dataclass(frozen=True)
class KeptLog:
    """What became of the partitions."""

    created: list[date]
    dropped: list[date]
    n_deleted: int  # old rows of the default partition
    n_waiting: int  # partitions that were in use, for the next run


def keep_log(*, now: datetime) -> KeptLog:
    """Make the partitions of today and the next days, and let go of what is too old.

    Each is a transaction of its own, so that it may be killed anywhere, and run again.
    """
    today = now.astimezone(UTC).date()
    oldest = today - timedelta(days=DAYS_KEPT)
    existing = set(_days())
    wanted = {today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)}
    created = [day for day in sorted(wanted - existing) if _tried(_create, day)]
    too_old = sorted(day for day in existing if day < oldest)
    dropped = [day for day in too_old if _tried(_drop, day)]
    n_waiting = len(wanted - existing) - len(created) + len(too_old) - len(dropped)
    return KeptLog(created, dropped, _delete_old(oldest), n_waiting)


def _days() -> Iterator[date]:
    """The days that have a partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = %s::regclass
            """,
            [LOG],
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        if found := re.fullmatch(rf"{LOG}_(\d{{8}})", name):
            yield datetime.strptime(found[1], "%Y%m%d").date()


def _tried(change: object, day: date) -> bool:
    """Whether the change was made; not where somebody uses the table for too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            for statement in change(day):
                cursor.execute(statement)
    except OperationalError:
        return False
    return True


def _create(day: date) -> Iterator[str]:
    """A day's table with the rows that came before it was there; dates and our names only."""
    name = _name(day)
    first, end = (f"'{first_set_id(_midnight(d))}'" for d in (day, day + timedelta(days=1)))
    yield f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE"
    yield f"CREATE TABLE {name} (LIKE {LOG} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    yield f"""
        WITH moved AS (
            DELETE FROM {DEFAULT} WHERE id >= {first} AND id < {end} RETURNING *
        )
        INSERT INTO {name} SELECT * FROM moved"""  # noqa: S608
    yield f"ALTER TABLE {LOG} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})"


def _drop(day: date) -> Iterator[str]:
    yield f"DROP TABLE {_name(day)}"


def _delete_old(oldest: date) -> int:
    """Rows of the default partition from before; also such whose keys tell no time."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {DEFAULT} WHERE created_at < %s",  # noqa: S608
            [_midnight(oldest)],
        )
        return cursor.rowcount


def _name(day: date) -> str:
    return f"{LOG}_{day:%Y%m%d}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
