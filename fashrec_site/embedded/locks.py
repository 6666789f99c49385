"""File locks: one process at a time starts or stops a server, and whether a server still lives.

A server inherits the descriptor of a locked file and so holds that lock until its last process has
ended, however it ends: a truth that neither a stale pid file nor a reused process id can bend.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fashrec_site.embedded.service_account import EmbeddedServerError

POLL_SECONDS = 0.02


@contextmanager
def exclusive(lock: Path, timeout_seconds: float = 150) -> Iterator[int]:
    """Hold the file lock `lock`; its descriptor may be passed to a child, which then holds it too.

    Raises:
        EmbeddedServerError: others held it for `timeout_seconds`.
    """
    descriptor = _open(lock)
    try:
        if not wait_until(lambda: _try_lock(descriptor), timeout_seconds):
            raise EmbeddedServerError(
                f"{lock} is held by another process since {timeout_seconds:g} s or more: a server "
                "is being started or stopped there. Try again in a minute."
            )
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(lock: Path) -> bool:
    """Whether any process holds `lock` at this moment."""
    if not lock.exists():
        return False
    descriptor = _open(lock)
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Whether `condition` came true in time; it is tried at least once."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _open(lock: Path) -> int:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:  # root may be followed by the folder's owner
        owner = lock.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
