"""How fast embeddings get into PostgreSQL: the ORM's INSERT of text, and COPY with one upsert."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.db import transaction

from benchmarks.figures import spread_ms
from benchmarks.synthetic import clustered_vectors, empty_database, fill_catalogue
from catalog.models import ProductImage
from embeddings.models import Backbone, Embedding
from embeddings.staging import COLUMNS, KEY, store

Write = Callable[[list[Embedding]], object]


def run(
    *, dimension: int, batch_sizes: Sequence[int], n_repetitions: int, seed: int
) -> dict[str, Any]:
    """Write batches of each size both ways, in turn. Returns the named figures."""
    rng = np.random.default_rng(seed)
    empty_database()
    fill_catalogue(rng, max(batch_sizes), 8)
    backbone = Backbone.objects.create(name="written", dimension=dimension)
    images = list(ProductImage.objects.order_by("pk"))
    figures: dict[str, Any] = {
        "data": f"random unit vectors of {dimension} dimensions, seed {seed}",
        "settings": {"repetitions": n_repetitions},
    }
    for size in batch_sizes:
        vectors = clustered_vectors(rng, size, dimension)
        figures[f"rows_{size}"] = _compared(backbone, images[:size], vectors, n_repetitions)
    return figures


def insert_text(rows: list[Embedding]) -> None:
    """The ORM's way, which sends every vector as text."""
    Embedding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=[name.removesuffix("_id") for name in KEY],
        update_fields=[*(name for name in COLUMNS if name not in KEY), "updated_at"],
    )


def _compared(
    backbone: Backbone, images: list[ProductImage], vectors: np.ndarray, n_repetitions: int
) -> dict[str, Any]:
    ways: dict[str, Write] = {"insert_text": insert_text, "copy_upsert": store}
    for write in ways.values():
        _claim_and_finish(write, backbone, images, vectors)  # warm
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n_repetitions):
        for name, write in ways.items():
            times[name].append(_claim_and_finish(write, backbone, images, vectors))
    medians = {name: float(np.median(seconds)) for name, seconds in times.items()}
    return {
        name: spread_ms(seconds) | {"rows_per_second": round(len(images) / medians[name])}
        for name, seconds in times.items()
    } | {"ratio_to_insert_text": round(medians["insert_text"] / medians["copy_upsert"], 1)}


def _claim_and_finish(
    write: Write, backbone: Backbone, images: list[ProductImage], vectors: np.ndarray
) -> float:
    """Seconds that the two writes of a batch take, its rows made beforehand."""
    seconds = 0.0
    for rows in (_rows(backbone, images, None), _rows(backbone, images, vectors)):
        started = time.perf_counter()
        with transaction.atomic():
            write(rows)
        seconds += time.perf_counter() - started
    return seconds


def _rows(
    backbone: Backbone, images: list[ProductImage], vectors: np.ndarray | None
) -> list[Embedding]:
    return [
        Embedding(
            image=image,
            backbone=backbone,
            mask_method="none",
            state=Embedding.State.STARTED if vectors is None else Embedding.State.READY,
            attempts=1,
            vector=None if vectors is None else vectors[n],
            image_sha256=f"{n:064x}",
            weights_sha256="0" * 64,
        )
        for n, image in enumerate(images)
    ]
