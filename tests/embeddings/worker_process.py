"""A real Celery worker in a process of its own, on the test's database, queue and photos."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

from fashrec_site.celery import app

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_SECONDS = 120

ORDINARY = "from fashrec_site.celery import app"
# The child dies over every photo of 13 x 13 pixels, as a decoder with a fault would make it.
DEADLY = """
import os, signal
from embeddings import color_layout
describe_photo = color_layout.describe_photo
def deadly(photo, garment=None):
    if photo.size == (13, 13):
        os.kill(os.getpid(), signal.SIGKILL)
    return describe_photo(photo, garment)
color_layout.describe_photo = deadly
"""


class WorkerProcess:
    """A worker with one pool process; `setup` is Python that runs in it before it starts."""

    def __init__(
        self, home: Path, setup: str = "", name: str = "worker", queue: str = "celery"
    ) -> None:
        options = ["worker", "--concurrency=1", "--loglevel=WARNING", f"--hostname={name}@%h"]
        options.append(f"--queues={queue}")
        start = f"{setup}\napp.worker_main({options!r})"
        self.log = home / f"{name}.log"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"{ORDINARY}\nimport django; django.setup()\n{start}"],
                cwd=ROOT,
                env=_environment(home),
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> "WorkerProcess":
        """Return when it answers."""
        wait_for(lambda: app.control.ping(timeout=1, limit=1), self)
        return self

    def kill(self) -> None:
        """End it and its pool as a power cut would."""
        processes = [*self._children(), psutil.Process(self.process.pid)]
        for process in processes:
            process.kill()
        self.process.wait()
        psutil.wait_procs(processes, timeout=WAIT_SECONDS)

    def stop(self) -> None:
        """End it in good order, or at once if it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()

    def _children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def wait_for(condition: Callable[[], object], worker: WorkerProcess) -> None:
    """Return when `condition` holds; fail with the worker's log when it never does."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert worker.process.poll() is None, f"the worker ended:\n{worker.log.read_text()}"
        assert time.monotonic() < deadline, f"nothing came of it:\n{worker.log.read_text()}"
        time.sleep(0.02)


def _environment(home: Path) -> dict[str, str]:
    redis = settings.REDIS_URL or app.connection_for_write().as_uri(include_password=True)
    return {
        **os.environ,
        "DATABASE_URL": _database_url(),
        "REDIS_URL": redis,
        "FASHREC_HOME": str(home),  # whose media folder is the test's
    }


def _database_url() -> str:
    options = connection.get_connection_params()
    login = ":".join(quote(options[key]) for key in ("user", "password") if options.get(key))
    query = "&".join(
        f"{key}={quote(str(options[key]), safe='')}" for key in ("host", "port") if key in options
    )
    return f"postgres://{login}@/{options['dbname']}?{query}"
