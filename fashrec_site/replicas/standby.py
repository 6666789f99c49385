"""Which replica may be read from: one that answers, replays, and is recent enough.

How old a replica is, is proven by positions in the write-ahead log, not by clocks: it holds at
least what the primary had written at a moment that this process knows. Time stamps of replayed
transactions say nothing on an idle primary, and nothing of a replica that was cut off in silence.
"""

import logging
import random
import threading
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, connections

from fashrec_site.replicas import PRIMARY

logger = logging.getLogger(__name__)

SAMPLE_SECONDS = 1.0  # between two looks at the primary's position, per process, at most
RETRY_SECONDS = 5.0  # that a replica which failed is left alone
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
REPLAYED = """
SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint WHERE pg_is_in_recovery()
"""


class PrimaryPositions:
    """Positions that the primary was known to have written, with when; shared by threads."""

    def __init__(self, keep_seconds: float) -> None:
        self._keep_seconds = keep_seconds
        self._interval_seconds = min(SAMPLE_SECONDS, keep_seconds / 4)
        self._samples: tuple[tuple[float, int], ...] = ()  # (monotonic seconds, bytes of log)
        self._next_look: float | None = None
        self._turn = threading.Lock()

    def oldest(self) -> int:
        """The oldest known position that is at most `keep_seconds` old; 0 without a primary.

        Old rows are better than none: without a primary every replica that answers will do.
        """
        is_due = self._next_look is None or time.monotonic() >= self._next_look
        # One thread looks; the others take what is known, unless nothing ever was.
        if is_due and self._turn.acquire(blocking=self._next_look is None):
            try:
                self._look()
            finally:
                self._turn.release()
        return self._samples[0][1] if self._samples else 0

    def _look(self) -> None:
        now = time.monotonic()
        try:
            newest = _position(PRIMARY, WRITTEN)
            recent = (s for s in self._samples if s[0] >= now - self._keep_seconds)
            self._samples = (*recent, (now, newest))
        except DatabaseError:
            self._samples = ()
        self._next_look = time.monotonic() + self._interval_seconds


class Standbys:
    """The replicas of this process's settings, and which of them failed lately."""

    def __init__(self, aliases: Sequence[str], max_lag_seconds: float) -> None:
        self.aliases = list(aliases)
        self.max_lag_seconds = max_lag_seconds
        self._primary = PrimaryPositions(keep_seconds=max_lag_seconds)
        self._left_alone_until = dict.fromkeys(self.aliases, 0.0)

    def choose(self) -> str:
        """A replica that may be read from, at random, or the primary. Cost: one query of each."""
        rested = [a for a in self.aliases if time.monotonic() >= self._left_alone_until[a]]
        for alias in random.sample(rested, len(rested)):
            if (reason := self._objection(alias)) is None:
                self._welcome(alias)
                return alias
            self.reject(alias, reason)
        return PRIMARY

    def reject(self, alias: str, reason: str) -> None:
        """Leave a replica alone for a while; one warning until it is used again."""
        if not self._left_alone_until[alias]:
            logger.warning("Reads go to the primary instead of %s: %s", alias, reason)
        self._left_alone_until[alias] = time.monotonic() + RETRY_SECONDS

    def _welcome(self, alias: str) -> None:
        if self._left_alone_until[alias]:
            logger.warning("Reads go to %s again.", alias)
            self._left_alone_until[alias] = 0.0

    def _objection(self, alias: str) -> str | None:
        """Why not to read from a replica now."""
        try:
            replayed = _position(alias, REPLAYED)
        except DatabaseError as error:
            connections[alias].close()
            return " ".join(str(error).split())
        if replayed is None:
            return "it is no replica (pg_is_in_recovery() is false)"
        if replayed < self._primary.oldest():
            return f"it is more than {self.max_lag_seconds:g} s behind"
        return None


def _position(alias: str, sql: str) -> int | None:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return row and row[0]


standbys = Standbys(
    [alias for alias in settings.DATABASES if alias != PRIMARY],
    settings.DATABASE_REPLICA_MAX_LAG_SECONDS,
)
