"""How far an index build has come, seen from a second connection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connection

POLL_SECONDS = 1.0
# pgvector adds each row to the graph while it scans the table, so that blocks are what is done.
PROGRESS = """
    SELECT blocks_done, blocks_total
    FROM pg_stat_progress_create_index WHERE relid = %s::regclass
"""


@contextmanager
def watching_build(table: str, on_progress: Callable[[int, int], None]) -> Iterator[None]:
    """Report (blocks done, blocks in all) of an index build on `table` once a second, meanwhile."""
    finished = Event()
    watcher = Thread(target=_watch, args=(table, on_progress, finished), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()


def _watch(table: str, on_progress: Callable[[int, int], None], finished: Event) -> None:
    try:
        while not finished.wait(POLL_SECONDS):
            with connection.cursor() as cursor:  # this thread's own
                cursor.execute(PROGRESS, [table])
                row = cursor.fetchone()
            if row and row[1]:
                on_progress(*row)
    finally:
        connection.close()
