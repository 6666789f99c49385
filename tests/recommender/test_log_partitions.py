"""The log's partitions: made ahead, filled from the default one, dropped when they are old."""

import threading
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from recommender.log_partitions import DAYS_AHEAD, DEFAULT, LOG, keep_log
from recommender.models import RecommendationLog, Tier
from recommender.set_ids import first_set_id, new_set_id
from shoppers.models import Shopper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def only_the_default_partition():
    """As after the migration, before and after each test."""
    yield
    RecommendationLog.objects.all().delete()
    with connection.cursor() as cursor:
        for name in partitions() - {DEFAULT}:
            cursor.execute(f"DROP TABLE {name}")


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [LOG]
        )
        return {name for (name,) in cursor.fetchall()}


def rows_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ONLY {table}")  # noqa: S608
        return cursor.fetchone()[0]


def add_set(day: datetime | None = None) -> RecommendationLog:
    shopper, _ = Shopper.objects.get_or_create(external_id="ann")
    log = RecommendationLog(shopper=shopper, tier=Tier.POPULAR, settings={}, items=[])
    if day is not None:
        log.id = first_set_id(day)
    log.save(force_insert=True)
    if day is not None:
        RecommendationLog.objects.filter(pk=log.pk).update(created_at=day)
    return log


def test_keys_of_a_time_lie_in_its_range():
    before = timezone.now() - timedelta(milliseconds=1)
    keys = [new_set_id() for _ in range(500)]
    after = timezone.now() + timedelta(milliseconds=1)
    assert len(set(keys)) == 500
    assert all(first_set_id(before) <= key < first_set_id(after) for key in keys)
    assert {(key.version, key.variant) for key in keys} == {(7, "specified in RFC 4122")}
    assert str(first_set_id(datetime(2026, 1, 1, tzinfo=UTC))).startswith("019b76da-a800-0000")


def test_without_any_partition_a_set_is_kept_and_moves_when_its_day_comes():
    assert partitions() == {DEFAULT}
    log = add_set()
    assert rows_of(DEFAULT) == 1

    now = timezone.now()
    kept = keep_log(now=now)

    today = now.astimezone(UTC).date()
    assert kept.created == [today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)]
    assert (kept.dropped, kept.n_deleted, kept.n_waiting) == ([], 0, 0)
    assert rows_of(DEFAULT) == 0
    assert rows_of(f"{LOG}_{today:%Y%m%d}") == 1
    assert RecommendationLog.objects.get().pk == log.pk
    assert keep_log(now=now).created == []
    add_set()
    assert rows_of(DEFAULT) == 0
    assert n_scans(log) == 1  # of nine partitions


def n_scans(log: RecommendationLog) -> int:
    rows = RecommendationLog.objects.filter(pk=log.pk).order_by()
    return sum("Scan" in line for line in rows.explain().splitlines())


def test_partitions_and_rows_older_than_thirty_days_are_let_go():
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    keep_log(now=start)
    old = add_set(start)
    strays = [add_set(start - timedelta(days=n)) for n in (3, 400)]  # before any partition
    recent = add_set(start + timedelta(days=3))

    kept = keep_log(now=start + timedelta(days=31))

    assert kept.dropped == [date(2026, 1, 1)]
    assert kept.n_deleted == 2
    left = set(RecommendationLog.objects.values_list("pk", flat=True))
    assert left == {recent.pk}
    assert not left & {old.pk, *(stray.pk for stray in strays)}


def test_a_partition_in_use_waits_for_the_next_run(monkeypatch):
    monkeypatch.setattr("recommender.log_partitions.LOCK_TIMEOUT", "50ms")
    add_set()
    is_locked, may_end = threading.Event(), threading.Event()

    def read_for_long():
        with connection.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {DEFAULT} IN ACCESS SHARE MODE")
            is_locked.set()
            may_end.wait(30)
            cursor.execute("COMMIT")
        connections.close_all()

    reader = threading.Thread(target=read_for_long)
    reader.start()
    try:
        assert is_locked.wait(30)
        kept = keep_log(now=timezone.now())
    finally:
        may_end.set()
        reader.join()
    assert kept.created == []
    assert kept.n_waiting == DAYS_AHEAD + 1
    assert len(keep_log(now=timezone.now()).created) == DAYS_AHEAD + 1


def test_the_command_says_what_it_did():
    out = StringIO()
    call_command("keep_recommendation_log", stdout=out)
    assert out.getvalue() == (
        "Partitions: 8 made, 0 dropped, 0 in use (they wait for the next run); "
        "0 old rows deleted besides.\n"
    )
