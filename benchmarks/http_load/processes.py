"""gunicorn, the worker for photos and the generator: each a process of its own, on loopback."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.db import connection

from benchmarks.http_load.generator import HOST, Answer, Spec
from embeddings.photo_search.tasks import QUEUE
from embeddings.queues import is_served
from fashrec_site.home import PROJECT_ROOT
from fashrec_site.processes import PHOTO_WORKER

START_SECONDS = 90
UNLIMITED = {"FASHREC_RATE_LIMIT": "off", "FASHREC_RATE_LIMIT_PER_KEY": "off"}


@dataclass(frozen=True)
class WebServer:
    """gunicorn on a port of 127.0.0.1."""

    port: int
    pid: int

    def processor_seconds(self) -> dict[str, float]:
        """What gunicorn and PostgreSQL have used of the cores so far, with all their processes."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            postmaster = psutil.Process(cursor.fetchone()[0]).parent()
        return {"web": _used(psutil.Process(self.pid)), "postgres": _used(postmaster)}


def _used(process: psutil.Process) -> float:
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    ended = times[0].children_user + times[0].children_system
    return ended + sum(t.user + t.system for t in times)


@contextmanager
def web_server(**variables: str) -> Iterator[WebServer]:
    """gunicorn as `make serve` starts it, without rate limits, with these `variables`."""
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        port = chosen.getsockname()[1]
    variables = UNLIMITED | {"PORT": str(port), "BIND": HOST, "LOG_LEVEL": "ERROR"} | variables
    command = ["gunicorn", "--log-level=warning", "fashrec_site.wsgi"]
    with _running(command, variables) as process:
        _wait_until(lambda: _is_ready(port), process)
        yield WebServer(port, process.pid)


@contextmanager
def photo_worker() -> Iterator[None]:
    """The worker for photos, its backbone loaded."""
    with _running([*PHOTO_WORKER, "--loglevel=ERROR"], {}) as worker:
        _wait_until(lambda: is_served(QUEUE, timeout_seconds=1), worker)
        yield


def generate(*specs: Spec) -> list[list[Answer]]:
    """What came of each spec's requests; the generators run at the same time."""
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder, f"answers{n}.json") for n in range(len(specs))]
        files = [spec.write(Path(folder, f"spec{n}.json")) for n, spec in enumerate(specs)]
        module = "benchmarks.http_load.generator"
        running = [
            subprocess.Popen([sys.executable, "-m", module, file, out], cwd=PROJECT_ROOT)
            for file, out in zip(files, outs, strict=True)
        ]
        try:
            for process, spec in zip(running, specs, strict=True):
                if process.wait(timeout=spec.seconds + 120):
                    raise SystemExit("the generator failed; see above")
        finally:
            _end(running)
        return [[Answer(**values) for values in json.loads(out.read_text())] for out in outs]


@contextmanager
def _running(arguments: Sequence[str], variables: dict[str, str]) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # as `make worker` and the demo do
    )
    try:
        yield process
    finally:
        _end([process])


def _end(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None:
            raise SystemExit("a server ended; see its error above")
        if time.monotonic() > deadline:
            raise SystemExit(f"a server did not answer within {START_SECONDS} s")
        time.sleep(0.2)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health/ready", timeout=5):
            return True
    except OSError:
        return False
