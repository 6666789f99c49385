"""Processes that run together: started together, watched, ended together."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

STOP_TIMEOUT_SECONDS = 30
CELERY = ["celery", "-A", "fashrec_site", "worker"]
# Photos that shoppers search with have a queue and a process of their own: one after another, so
# that they take no core from whoever reads, and never wait for the catalogue's photos.
PHOTO_WORKER = [*CELERY, "--queues=photo_search", "--concurrency=1", "--hostname=photos@%h"]


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """SIGTERM or SIGINT asked for the end."""


def run_together(
    commands: Mapping[str, Sequence[str]],
    when_started: Callable[[dict[str, subprocess.Popen]], None] = lambda running: None,
) -> int:
    """Run Python modules, by name, until Ctrl-C or SIGTERM (0), or until one of them ends (1)."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    running: dict[str, subprocess.Popen] = {}
    try:
        for name, arguments in commands.items():
            # A session of their own: Ctrl-C reaches only us, and we end them in order.
            running[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments], start_new_session=True
            )
        when_started(running)
        while all(process.poll() is None for process in running.values()):
            time.sleep(0.5)
        ended = [name for name, process in running.items() if process.poll() is not None]
        what = f"The {' and the '.join(ended)} ended by itself"
        sys.stderr.write(f"{what}, so the others end too; start all again by the same command.\n")
        return 1
    except Stopped:
        return 0
    finally:
        _end(running)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _end(running: dict[str, subprocess.Popen]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for process in running.values():
        process.terminate()
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    for process in running.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
