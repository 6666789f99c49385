"""Measure one backbone, and write what was found."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings as django_settings
from django.utils import timezone

from embeddings.encoders import Encoder, NetworkEncoder, load_encoder
from embeddings.querysets import MaskMethod
from recommender.backbone_evaluation.evaluation import (
    CATEGORY,
    Measured,
    Variant,
    measure_collection,
    measure_search,
)
from recommender.backbone_evaluation.features import photo_features, thumbnail_features
from recommender.backbone_evaluation.photos import PhotoCollection
from recommender.backbone_evaluation.pictures import draw_failures, draw_map
from recommender.backbone_evaluation.report import REPORT_FILE, report_html
from recommender.evaluation import folders
from recommender.evaluation.provenance import code_version

MIN_PHOTOS = 10
REFERENCE = "torch-fp32"

Progress = Callable[[str, int, int], None]


class BackboneEvaluationError(ValueError):
    """Nothing can be measured; the message says why."""


@dataclass(frozen=True)
class BackboneReport:
    """What was found, and where its pages are."""

    results: dict[str, Any]
    folder: Path


def evaluate_backbone(
    name: str,
    collection: PhotoCollection,
    *,
    asked: PhotoCollection | None = None,
    masks: Sequence[str] = (),
    runtime: str = REFERENCE,
    output: Path | None = None,
    seed: int = 42,
    on_progress: Progress,
) -> BackboneReport:
    """Embed the photos, rank them for each other, and write figures, pictures and a page.

    Args:
        name: of a backbone.
        collection: queries and gallery.
        masks: methods of finding garments to measure beside the maps and the whole photos.
        asked: phone photos that search in the collection, by the committed label map.
        runtime: what runs the network.
        output: the report's folder; by default a new one in FASHREC_HOME/reports/backbones.
        seed: of the bootstrap and the pictures.
        on_progress: called with a stage, its steps done, and their number.

    Raises:
        BackboneEvaluationError: too few photos, none of them in the test part, or no such runtime.
        WeightsUnavailable: the backbone has no weights here.
        ValueError: no such backbone.
        ReportFolderError: no report can be written there.
    """
    now = timezone.now().astimezone(UTC)
    _check(collection)
    encoder = _encoder(name, runtime)
    destination = output or _new_folder(name, now)
    folders.check_destination(destination)
    variants = list(_variants(collection, encoder, masks, runtime, on_progress))
    measured = []
    for place, variant in enumerate(variants):
        measured.append(measure_collection(collection, variant, seed=seed))
        on_progress("Ranking", place + 1, len(variants))
    results = {
        "settings": _settings(collection, encoder, variants[0], runtime, now, seed),
        "rows": [row for one in measured for row in one.rows],
        "categories": measured[0].categories,
        "search": _search(collection, asked, encoder, variants, runtime, seed, on_progress),
    }
    with folders.whole_folder(destination) as folder:
        results["pictures"] = _draw(collection, variants[0], measured[0], folder, seed, on_progress)
        text = json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False)
        (folder / folders.RESULTS_FILE).write_text(text + "\n", encoding="utf-8")
        (folder / REPORT_FILE).write_text(report_html(results), encoding="utf-8")
    return BackboneReport(results, destination)


def _check(collection: PhotoCollection) -> None:
    n_photos, n_queries = len(collection.photos), int(collection.is_test().sum())
    if n_photos < MIN_PHOTOS or n_queries == 0:
        raise BackboneEvaluationError(
            f"{collection.name}: {n_photos:,} photos, {n_queries:,} of them in the test part; "
            f"expected at least {MIN_PHOTOS} and one"
        )
    if CATEGORY not in collection.labels():
        raise BackboneEvaluationError(f"{collection.name}: expected photos of several categories")


def _encoder(name: str, runtime: str) -> Encoder:
    encoder = load_encoder(name)
    if runtime == REFERENCE or not isinstance(encoder, NetworkEncoder):
        return encoder
    from embeddings.nets.runtimes import accelerated, available_runtimes

    if runtime not in available_runtimes():
        known = ", ".join(available_runtimes())
        raise BackboneEvaluationError(f"no runtime {runtime!r} here: expected one of {known}")
    return replace(encoder, network=accelerated(encoder.network, runtime))


def _new_folder(name: str, now: datetime) -> Path:
    reports = Path(django_settings.FASHREC_HOME) / "reports" / "backbones" / name
    return folders.timed_folder(reports, now)


def _cache(runtime: str) -> Path:
    return Path(django_settings.FASHREC_HOME) / "features" / runtime


def _variants(
    collection: PhotoCollection,
    encoder: Encoder,
    masks: Sequence[str],
    runtime: str,
    on_progress: Progress,
) -> Iterator[Variant]:
    """What is compared; as products are first (masked where there are maps, by cosine)."""
    usual = (MaskMethod.SEGMENTATION_MAP, MaskMethod.NONE)
    for mask in (*usual[0 if collection.has_maps else 1 :], *masks):
        features = photo_features(
            collection.photos,
            encoder,
            mask=mask,
            cache=_cache(runtime),
            on_progress=on_progress,
        )
        seen = MaskMethod(mask).label
        yield Variant(f"{seen}, cosine", features)
        yield Variant(f"{seen}, Euclidean", features, is_cosine=False)
    yield Variant("thumbnails of 16 pixels, cosine", thumbnail_features(collection.photos))


def _search(
    collection: PhotoCollection,
    asked: PhotoCollection | None,
    encoder: Encoder,
    variants: list[Variant],
    runtime: str,
    seed: int,
    on_progress: Progress,
) -> list[dict[str, Any]]:
    if asked is None:
        return []
    features = photo_features(
        asked.photos, encoder, mask=MaskMethod.NONE, cache=_cache(runtime), on_progress=on_progress
    )
    return measure_search(asked, collection, (features, variants[0].features), seed=seed)


def _settings(
    collection: PhotoCollection,
    encoder: Encoder,
    variant: Variant,
    runtime: str,
    now: datetime,
    seed: int,
) -> dict[str, Any]:
    return {
        "started_at": now.isoformat(timespec="seconds"),
        "code_version": code_version(Path(django_settings.BASE_DIR)),
        "backbone": encoder.version.name,
        "weights_sha256": encoder.version.weights_sha256,
        "dimension": encoder.version.dimension,
        "preprocessing": encoder.version.preprocessing,
        "runtime": runtime,
        "photos": collection.name,
        "n_photos": len(collection.photos),
        "n_unreadable": int((~np.isfinite(variant.features).all(axis=1)).sum()),
        "seed": seed,
    }


def _draw(
    collection: PhotoCollection,
    variant: Variant,
    measured: Measured,
    folder: Path,
    seed: int,
    on_progress: Progress,
) -> list[dict[str, str]]:
    pictures = []
    on_progress("Drawing", 0, 2)
    names = collection.values(CATEGORY)[measured.queries]
    title = "The test photos by t-SNE"
    if draw_map(
        variant.features[measured.queries], names, folder / "map.png", title=title, seed=seed
    ):
        pictures.append({"file": "map.png", "title": title})
    on_progress("Drawing", 1, 2)
    if draw_failures(collection, measured, folder / "failures.png"):
        title = "Queries without one hit among five"
        pictures.append({"file": "failures.png", "title": title})
    on_progress("Drawing", 2, 2)
    return pictures
