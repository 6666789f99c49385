"""Where one request reads: at a replica until it writes, then at the primary."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import OperationalError, connections

from fashrec_site.replicas import PRIMARY
from fashrec_site.replicas.standby import standbys

# What is written with nearly every answer and never read with it: it must not end the reading.
WRITTEN_IN_PASSING = frozenset(
    {"recommender_recommendationlog", "recommender_exposure", "fashrec_site_apikey"}
)
ONLY_READS = re.compile(
    r"\s*(SELECT|SET|SHOW|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT"
    r"|WITH\b(?!.*\b(?:INSERT|UPDATE|DELETE|MERGE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
WRITES_TO = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
RECOVERY_CONFLICT = "40001"  # vacuum on the primary removed rows that the replica still read


class RequestReads:
    """The database that one request reads from, chosen at its first read."""

    def __init__(self, wrappers: ExitStack) -> None:
        self._wrappers = wrappers
        self._replica: str | None = None
        self.is_pinned = False  # to the primary
        self.has_written = False
        self.has_lost_replica = False

    def alias(self) -> str:
        """The primary after a write and inside its transactions, else the chosen replica."""
        if self.is_pinned or connections[PRIMARY].in_atomic_block:
            return PRIMARY
        if self._replica is None:
            self._replica = standbys.choose()
            if self._replica != PRIMARY:
                wrapper = connections[self._replica].execute_wrapper(self._notice_loss)
                self._wrappers.enter_context(wrapper)
        return self._replica

    def notice_write(self, execute: Callable[..., Any], sql: object, *args: Any) -> Any:
        """Pin to the primary what follows a statement of it that writes, the ORM's or our own."""
        text = sql if isinstance(sql, str) else ""
        if not ONLY_READS.match(text):
            self.has_written = True
            table = WRITES_TO.match(text)
            self.is_pinned |= table is None or table[1] not in WRITTEN_IN_PASSING
        return execute(sql, *args)

    def _notice_loss(self, execute: Callable[..., Any], *args: Any) -> Any:
        try:
            return execute(*args)
        except OperationalError as error:
            replica = connections[self._replica]
            if replica.connection is None or replica.connection.closed:
                standbys.reject(self._replica, " ".join(str(error).split()))
                self.has_lost_replica = True
            elif getattr(error.__cause__, "sqlstate", None) == RECOVERY_CONFLICT:
                self.has_lost_replica = True
            raise


_current: ContextVar[RequestReads | None] = ContextVar("request_reads", default=None)


def current_reads() -> RequestReads | None:
    """The request's, or None where everything is read from the primary."""
    return _current.get()


def read_from_primary() -> None:
    """Let the rest of this request read from the primary, as something is to be changed by it."""
    if (reads := _current.get()) is not None:
        reads.is_pinned = True


@contextmanager
def request_reads() -> Iterator[RequestReads]:
    """Let what happens inside read from a replica."""
    with ExitStack() as wrappers:
        reads = RequestReads(wrappers)
        wrappers.enter_context(connections[PRIMARY].execute_wrapper(reads.notice_write))
        token = _current.set(reads)
        try:
            yield reads
        finally:
            _current.reset(token)
