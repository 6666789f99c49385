"""Photo file to masked vector in PostgreSQL: naive, decoding, network, and the whole, in turn."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management import call_command

from benchmarks.embedding_drill import drill
from benchmarks.enlarging import enlarge
from benchmarks.matrix_rate import gflops_per_image, matrix_gflops
from benchmarks.naive_embedding import NaiveEmbedding
from benchmarks.stages import Stages, shown_stages
from benchmarks.synthetic import empty_database
from catalog.models import Product, ProductImage
from embeddings import services
from embeddings.admission import candidate_ways, choose_way, encoder_of
from embeddings.encoders import Encoder
from embeddings.fidelity_sample import prepare_all
from embeddings.models import Backbone, Embedding, FidelityCheck
from embeddings.nets.backbones import BACKBONES
from embeddings.nets.runtimes import circumstances
from embeddings.pipeline import BATCH_SIZE
from embeddings.querysets import best_mask_method

NOT_APPLICABLE = "gate not applicable: seeded weights"


@dataclass(frozen=True)
class Request:
    """What to measure."""

    backbone: str
    photos: Path
    n_images: int  # 0: all
    n_naive: int
    n_repetitions: int
    width: int | None  # in pixels, to enlarge the photos to
    is_seeded: bool
    n_drill: int
    seed: int


def run(request: Request) -> dict[str, Any]:
    """Import, embed once (which measures fidelity), then measure in turn. The named figures."""
    with shown_stages() as stages, _weights(request):
        _import(request, stages)
        with stages.stage("first run: load, check fidelity, embed"):
            backbone = services.register_backbone(name=request.backbone)
            if request.is_seeded:
                _admit_unmeasured(backbone)
            decision = choose_way(backbone, min_photos=1)
            encoder = encoder_of(backbone, decision.way)
            first = services.embed_missing(backbone=backbone)
        images = _images()
        figures = {
            "data": _data(request, len(images), first.n_failed),
            "weights": "seeded" if request.is_seeded else f"SHA-256 {backbone.weights_sha256}",
            "way": decision.way.name,
            "fidelity": decision.reason,
            "circumstances": circumstances(),
            "first_run_seconds": stages.seconds["first run: load, check fidelity, embed"],
        }
        rounds = _rounds(request, stages, backbone, encoder, images)
        figures |= summary(rounds, gflops_per_image(request.backbone))
        if request.n_drill:
            with stages.stage("drill", request.n_drill) as on_progress:
                figures["drill"] = drill(backbone, request.n_drill, on_progress)
    return figures


def _rounds(
    request: Request,
    stages: Stages,
    backbone: Backbone,
    encoder: Encoder,
    images: list[ProductImage],
) -> list[dict[str, float]]:
    """Images per second of each part, measured in turn in every round."""
    naive = NaiveEmbedding(backbone)
    few = images[: request.n_naive]
    inputs: list[np.ndarray] = []

    def decode() -> None:
        inputs[:] = prepare_all(images, encoder)[1]

    parts: dict[str, tuple[int, Callable[[], object]]] = {
        "naive": (len(few), lambda: naive.embed(few)),
        "decode": (len(images), decode),
        "network": (len(images), lambda: _run_network(encoder, inputs)),
        "end_to_end": (len(images), lambda: services.embed_missing(backbone=backbone)),
    }
    rounds = []
    with stages.stage("rounds", request.n_repetitions * len(parts)) as on_progress:
        for _ in range(request.n_repetitions):
            speeds = {}
            for name, (n_images, part) in parts.items():
                if name in ("naive", "end_to_end"):
                    Embedding.objects.all().delete()
                speeds[name] = n_images / _seconds(part)
                on_progress(len(rounds) * len(parts) + len(speeds))
            rounds.append(speeds | {"matrix_gflops": matrix_gflops()})
    return rounds


def _run_network(encoder: Encoder, inputs: list[np.ndarray]) -> None:
    for start in range(0, len(inputs), BATCH_SIZE):
        encoder.encode(inputs[start : start + BATCH_SIZE])


def summary(rounds: list[dict[str, float]], gflops: float) -> dict[str, Any]:
    """The spread of each part's speed, and of the ratios between them within each round.

    Args:
        rounds: images per second of each part, and what the machine multiplies in bf16.
        gflops: 10^9 floating-point operations that the network takes for an image.
    """
    ceilings = [1 / (1 / speeds["decode"] + 1 / speeds["network"]) for speeds in rounds]
    whole = [speeds["end_to_end"] for speeds in rounds]
    naive = [speeds["naive"] for speeds in rounds]
    network = [speeds["network"] for speeds in rounds]
    matrix = [speeds["matrix_gflops"] for speeds in rounds]
    return {
        "images_per_second": spread(whole),
        "ratio_to_naive": spread(np.divide(whole, naive)),
        "fraction_of_ceiling": spread(np.divide(whole, ceilings)),
        "naive_images_per_second": spread(naive),
        "decode_images_per_second": spread([speeds["decode"] for speeds in rounds]),
        "network_images_per_second": spread(network),
        "ceiling_images_per_second": spread(ceilings),
        "gflops_per_image": round(gflops, 3),
        "matrix_gflops": spread(matrix),
        "network_fraction_of_matrix_rate": spread(np.multiply(network, gflops) / matrix),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and extremes."""
    named = {"median": np.median(values), "min": np.min(values), "max": np.max(values)}
    return {name: round(float(value), 3) for name, value in named.items()}


def _import(request: Request, stages: Stages) -> None:
    """Empty the database and import the photos, of which at most the wanted number stays active."""
    empty_database()
    folder = request.photos
    if request.width:
        with stages.stage("enlarge", 1):
            folder = settings.FASHREC_HOME / "enlarged"
            enlarge(request.photos, folder, request.width, request.n_images, request.seed)
    with stages.stage("import"):
        call_command("import_products", str(folder), on_error="skip", verbosity=0)
    if request.n_images:
        kept = Product.objects.order_by("pk").values("pk")[: request.n_images]
        Product.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).update(
            is_active=False
        )


def _images() -> list[ProductImage]:
    photos = ProductImage.objects.active().annotate(mask_method=best_mask_method())
    return list(photos.order_by("pk"))


def _data(request: Request, n_images: int, n_failed: int) -> dict[str, Any]:
    n_masked = ProductImage.objects.active().exclude(segmentation_map="").count()
    return {
        "photos": request.photos.resolve().name,
        "n_images": n_images,
        "n_with_map": n_masked,
        "n_failed": n_failed,
        "enlarged_to_width": request.width,
        "n_naive": min(request.n_naive, n_images),
        "repetitions": request.n_repetitions,
        "seed": request.seed,
        "cores": cpu_count(),
    }


@contextmanager
def _weights(request: Request) -> Iterator[None]:
    """Seeded weights in a folder of their own, where they are asked for."""
    if not request.is_seeded:
        yield
        return
    import torch
    from safetensors.torch import save_file

    folder = settings.FASHREC_HOME / "seeded_weights"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(request.seed)
    state = BACKBONES[request.backbone].build_classifier().state_dict()
    save_file(state, folder / f"{request.backbone}.safetensors")
    del state
    settings.FASHREC_WEIGHTS_DIR = folder
    yield


def _admit_unmeasured(backbone: Backbone) -> None:
    """Let the fastest way run on weights that mean nothing."""
    FidelityCheck.objects.create(
        backbone=backbone,
        weights_sha256=backbone.weights_sha256,
        way=candidate_ways()[0].name,
        circumstances=circumstances(),
        is_admitted=True,
        reason=NOT_APPLICABLE,
    )


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
