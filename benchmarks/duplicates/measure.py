"""Import, embed, search, and hold what was found against what was copied."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management import call_command
from django.utils import timezone
from scipy.stats import binomtest

from benchmarks.datasets.photo_catalogue import DEFAULT_PHOTOS, PhotoCatalogue, read_photo_catalogue
from benchmarks.duplicates.catalogue import choose, item_id, position_of, write_folder
from benchmarks.duplicates.copies import COPIES
from benchmarks.stages import Stages
from catalog.models import Product
from catalog.services import import_catalog
from embeddings.duplicates.candidates import nearest_by_hash, nearest_by_vector
from embeddings.duplicates.likeness import MAX_BITS, MAX_COLOR_DISTANCE
from embeddings.duplicates.models import DuplicatePair, PhotoFingerprint
from embeddings.duplicates.services import compare_pairs, find_duplicates
from embeddings.indexes import ensure_search_indexes
from embeddings.models import Backbone, ProductVector

BATCH = 500


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    photos: Path | None
    n_products: int | None
    n_copied: int
    recall: float
    backbone: str
    seed: int


def measure(plan: Plan, stages: Stages) -> dict[str, Any]:
    """The figures; a home that has the products already is only searched anew."""
    photos = read_photo_catalogue(plan.photos or DEFAULT_PHOTOS)
    if photos is None:
        raise SystemExit("no photos: give --photos DIR with a manifest.csv")
    order = choose(photos, plan.n_products, plan.n_copied, plan.seed)
    _fill(plan, photos, order, stages)
    DuplicatePair.objects.all().delete()
    PhotoFingerprint.objects.all().delete()
    started = time.perf_counter()
    report = find_duplicates(now=timezone.now(), on_progress=stages.show)
    seconds = time.perf_counter() - started
    copied = order[: plan.n_copied].tolist()
    halves = {"choosing": copied[::2], "reporting": copied[1::2]}
    looked = _candidates(Backbone.objects.get(name=plan.backbone), stages)
    return {
        "plan": {**vars(plan), "photos": str(photos.folder.name)},
        "products": report.n_compared,
        "pairs_looked_at": len(looked),
        "search_seconds": round(seconds, 1),
        "products_per_second": round(report.n_compared / seconds, 1),
        "shipped": {"max_bits": MAX_BITS, "max_color_distance": MAX_COLOR_DISTANCE},
        "threshold_for_wanted_recall": _threshold(looked, halves["choosing"], plan.recall),
        **{name: _figures(half) for name, half in halves.items()},
        "precision": _precision(len(order)),
    }


def _fill(plan: Plan, photos: PhotoCatalogue, order: np.ndarray, stages: Stages) -> None:
    expected = len(order) + plan.n_copied * len(COPIES)
    if Product.objects.count() < expected:
        with (
            tempfile.TemporaryDirectory() as folder,
            stages.stage("Copying photos", len(order)) as shown,
        ):
            write_folder(Path(folder), photos, order, plan.n_copied, plan.seed, shown)
            import_catalog(path=Path(folder), on_progress=stages.show)
    with stages.stage("Embedding"):
        call_command("embed_products", backbone=[plan.backbone], inline=True, verbosity=0)
    with stages.stage("Indexing"):
        ensure_search_indexes(Backbone.objects.get(name=plan.backbone))


def _candidates(backbone: Backbone, stages: Stages) -> dict[tuple[str, str], float]:
    """Every pair that a search looks at, by item ids, with its likeness (negative: not alike)."""
    looked: dict[tuple[int, int], float] = {}
    rows = list(ProductVector.objects.filter(backbone=backbone).defer("vector"))
    with stages.stage("Looking at pairs", len(rows)) as shown:
        for n_done, batch in enumerate(_batches(rows), 1):
            near = nearest_by_vector([row.product_id for row in batch], batch[0].gender, backbone)
            images = ProductVector.objects.filter(pk__in=[row.pk for row in batch])
            near |= nearest_by_hash(list(images.values_list("embedding__image", flat=True)))
            found = compare_pairs(near, backbone)
            looked |= {pair: likeness.value for pair, likeness in found.items()}
            shown(min(n_done * BATCH, len(rows)))
    names = dict(Product.objects.values_list("pk", "item_id"))
    return {(names[a], names[b]): value for (a, b), value in looked.items()}


def _batches(rows: Sequence[ProductVector]) -> Iterator[list[ProductVector]]:
    for gender in sorted({row.gender for row in rows}):
        of_gender = [row for row in rows if row.gender == gender]
        for start in range(0, len(of_gender), BATCH):
            yield of_gender[start : start + BATCH]


def _threshold(looked: dict[tuple[str, str], float], half: list[int], recall: float) -> float:
    """The likeness from which on so many copies of these photos are found beside their photo."""
    values = [
        looked.get((item_id(p), item_id(p, kind)), looked.get((item_id(p, kind), item_id(p)), -9.0))
        for p in half
        for kind in COPIES
    ]
    return round(float(np.quantile(values, 1 - recall)), 4)


def _figures(half: list[int]) -> dict[str, Any]:
    """Recall in the queue, by kind of copy and over all."""
    queue = _queue()
    found = {
        kind: [frozenset((item_id(p), item_id(p, kind))) in queue for p in half] for kind in COPIES
    }
    everything = [hit for hits in found.values() for hit in hits]
    return {
        "photos": len(half),
        "recall": round(float(np.mean(everything)), 4),
        "recall_interval": _interval(everything),
        "by_kind": {kind: round(float(np.mean(hits)), 4) for kind, hits in found.items()},
    }


def _precision(n_photos: int) -> dict[str, Any]:
    """Of the pairs in the queue, how many are of one photo; the others are all counted as false."""
    pairs = [tuple(pair) for pair in _queue()]
    is_true = [position_of(a) == position_of(b) for a, b in pairs]
    return {
        "pairs": len(pairs),
        "precision": round(float(np.mean(is_true)), 4),
        "false_pairs_between_photos_of_the_catalogue": sum(
            a.startswith("photo-") and b.startswith("photo-") for a, b in pairs
        ),
        "photos": n_photos,
    }


def _queue() -> set[frozenset[str]]:
    rows = DuplicatePair.objects.to_decide().values_list("a__item_id", "b__item_id")
    return {frozenset(row) for row in rows}


def _interval(hits: list[bool]) -> list[float]:
    """Of the recall, 95%."""
    interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    return [round(interval.low, 4), round(interval.high, 4)]
