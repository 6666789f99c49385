"""Images per second of one and of two Celery worker processes, `--concurrency 1` each."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile

from benchmarks.datasets.photo_catalogue import DEFAULT_PHOTOS, DEFAULT_WEIGHTS
from benchmarks.synthetic import empty_database
from catalog.models import Category, CategoryGroup, Product, ProductImage
from embeddings import services
from embeddings.models import Backbone, Embedding, ProductVector
from embeddings.tasks import embed_images
from fashrec_site.celery import app
from fashrec_site.home import PROJECT_ROOT

IMAGES_PER_TASK = 32
UNCOUNTED_SHARE = 0.2  # of the photos, while workers load the network
TIMEOUT_SECONDS = 600
WAYS = {
    "one_process": (1, False),
    "two_processes": (2, False),
    "one_process_own_core": (1, True),
    "two_processes_own_core": (2, True),
}


def run(
    *, photos: Path | None, n_images: int, backbone_name: str, weights: Path | None, n_rounds: int
) -> dict[str, Any]:
    """Embed the same photos with one and two processes, in turn. Returns the named figures."""
    weights = weights or (DEFAULT_WEIGHTS if DEFAULT_WEIGHTS.exists() else None)
    if weights is not None:
        os.environ["FASHREC_WEIGHTS_DIR"] = str(weights)
        settings.FASHREC_WEIGHTS_DIR = weights
    empty_database()
    n_loaded = _load(photos or DEFAULT_PHOTOS, n_images)
    backbone = services.register_backbone(name=backbone_name)
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(n_rounds):
        for name, (n_processes, is_bound) in WAYS.items():
            with _workers(n_processes, is_bound):
                rates[name].append(_images_per_second(backbone, n_loaded, n_processes))
    medians = {name: float(np.median(values)) for name, values in rates.items()}
    two, one = medians["two_processes_own_core"], medians["one_process_own_core"]
    return {
        "data": f"{n_loaded} photos of {(photos or DEFAULT_PHOTOS).name}",
        "settings": {"backbone": backbone_name, "images_per_task": IMAGES_PER_TASK},
        **{
            name: {"images_per_second": round(medians[name], 1), "rounds": values}
            for name, values in rates.items()
        },
        "shared_cores": {
            "ratio_to_one_process": round(medians["two_processes"] / medians["one_process"], 2)
        },
        "own_core": {"ratio_to_one_process": round(two / one, 2)},
    }


def _load(folder: Path, n_images: int) -> int:
    """Put up to `n_images` photos of the folder into the catalogue; how many there were."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not files:
        raise SystemExit(f"no photos in {folder}; name a folder of them with --photos")
    category = Category.objects.create(
        name="Photos", group=CategoryGroup.objects.create(name="Photos")
    )
    for file in files[:n_images]:
        product = Product.objects.create(
            item_id=str(file.relative_to(folder)), gender="UNISEX", category=category
        )
        content = file.read_bytes()
        ProductImage.objects.create(
            product=product,
            view="front",
            image=ContentFile(content, name=file.name),
            sha256=hashlib.sha256(content).hexdigest(),
        )
    return min(n_images, len(files))


@contextmanager
def _workers(n_processes: int, is_bound: bool) -> Iterator[None]:
    """Worker processes that answer, on an empty queue."""
    app.control.purge()
    processes = [_start(number, is_bound) for number in range(n_processes)]
    try:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while len(app.control.ping(timeout=1) or []) < n_processes:
            _check(processes, deadline)
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def _start(number: int, is_bound: bool) -> subprocess.Popen[bytes]:
    cores = sorted(os.sched_getaffinity(0))
    core = {cores[number % len(cores)]}
    options = ["--concurrency=1", f"--hostname=benchmark{number}@%h", "--loglevel=ERROR"]
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "fashrec_site", "worker", *options],
        cwd=PROJECT_ROOT,
        env=os.environ | ({"OMP_NUM_THREADS": "1"} if is_bound else {}),
        stdout=subprocess.DEVNULL,
        preexec_fn=partial(os.sched_setaffinity, 0, core) if is_bound else None,
    )


def _check(processes: list[subprocess.Popen[bytes]], deadline: float) -> None:
    if any(process.poll() is not None for process in processes):
        raise SystemExit("a worker ended; see its error above")
    if time.monotonic() > deadline:
        raise SystemExit(f"nothing came of it within {TIMEOUT_SECONDS} s")


def _images_per_second(backbone: Backbone, n_images: int, n_processes: int) -> float:
    """The rate at which the photos after the first fifth are embedded."""
    ProductVector.objects.all().delete()
    Embedding.objects.all().delete()
    for ids in services.missing_ids(backbone=backbone, batch_size=IMAGES_PER_TASK):
        embed_images.delay(ids, backbone.name)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    n_first = _wait_for(int(UNCOUNTED_SHARE * n_images), deadline)
    started = time.perf_counter()
    # The last task of another process may still run: one idle process is no rate of two.
    n_last = _wait_for(n_images - IMAGES_PER_TASK * (n_processes - 1), deadline)
    rate = (n_last - n_first) / (time.perf_counter() - started)
    _wait_for(n_images, deadline)
    return round(rate, 2)


def _wait_for(n_wanted: int, deadline: float) -> int:
    """How many are embedded, once these are enough."""
    while (n_ready := Embedding.objects.filter(state="ready").count()) < n_wanted:
        _check([], deadline)
        time.sleep(0.05)
    return n_ready
