"""Processes that wait for those who read, where cores are few."""

import os
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Make this process and those that it starts so nice (0 to 19), for good.

    Linux may share cores among sessions first, and by niceness only inside each: one that leads a
    session of its own makes it nice as a whole.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(str(niceness))
