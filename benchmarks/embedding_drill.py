"""A real Celery worker that embeds many photos, and how much memory it takes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from django.conf import settings

from embeddings.dispatch import NoWorkerError, embed_by_workers, require_worker
from embeddings.models import Backbone, Embedding
from fashrec_site.home import PROJECT_ROOT

START_SECONDS = 60
MIB = 1 << 20


def drill(backbone: Backbone, n_images: int, on_progress: Callable[[int], None]) -> dict[str, Any]:
    """Embed the photos by a worker, again and again until `n_images` were; its memory.

    `memory_growth_mib` is the median of the last quarter less that of the second: the first one
    loads.
    """
    worker = _start_worker()
    try:
        samples, n_done, started = [], 0, time.monotonic()
        while n_done < n_images:
            Embedding.objects.all().delete()

            def look(n_settled: int, _: int, n_before: int = n_done) -> None:
                samples.append((n_before + n_settled, _resident_mib(worker.pid)))
                on_progress(min(n_images, n_before + n_settled))

            n_done += embed_by_workers(
                backbone=backbone, mask_method=None, on_progress=look
            ).n_ready
        seconds = time.monotonic() - started
        return {
            "n_images": n_done,
            "images_per_second": round(n_done / seconds, 1),
            "peak_memory_mib": _peak_mib(worker.pid),
            "memory_growth_mib": _growth(samples, n_done),
        }
    finally:
        worker.terminate()
        worker.wait(timeout=60)


def _start_worker() -> subprocess.Popen:
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "fashrec_site",
            "worker",
            "--concurrency=1",
            "--loglevel=WARNING",
        ],
        cwd=PROJECT_ROOT,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            require_worker()
        except NoWorkerError:
            if time.monotonic() > deadline:
                worker.kill()
                raise
        else:
            return worker


def _environment() -> dict[str, str]:
    weights = settings.FASHREC_WEIGHTS_DIR
    given = {} if weights is None else {"FASHREC_WEIGHTS_DIR": str(weights)}
    return os.environ | given


def _pool(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _resident_mib(pid: int) -> float:
    """Of the pool's largest process."""
    return max((child.memory_info().rss for child in _pool(pid)), default=0) / MIB


def _peak_mib(pid: int) -> float:
    """The most that the pool's largest process ever had, as the kernel counted it."""
    peaks = []
    for child in _pool(pid):
        status = Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        peaks.append(int(line.split()[1]) / 1024)
    return round(max(peaks), 1)


def _growth(samples: list[tuple[int, float]], n_images: int) -> float:
    def median(low: float, high: float) -> float:
        return float(np.median([mib for n, mib in samples if low <= n / n_images <= high]))

    return round(median(0.75, 1) - median(0.25, 0.5), 1)
