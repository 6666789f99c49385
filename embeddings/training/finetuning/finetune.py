"""Fine-tuning from labelled photos to a backbone's two files."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.special import softmax
from torch import nn

from embeddings.nets.crops import WholePhoto
from embeddings.nets.finetuned import KIND, Description
from embeddings.nets.label_network import METRIC, LabelNetwork, build_label_network
from embeddings.nets.networks import Network
from embeddings.nets.runtimes import accelerated, available_runtimes
from embeddings.nets.weights import file_sha256
from embeddings.photo_sets import LabelledPhoto
from embeddings.training.finetuning.measures import measure_label
from embeddings.training.finetuning.photos import TrainingPhotos, load_photos
from embeddings.training.finetuning.task import Described, LabelTask
from embeddings.training.finetuning.vector import (
    Mixture,
    as_plain,
    calibration_temperature,
    choose_mixture,
    mixture_of,
    precisions,
    vectors,
)
from embeddings.training.finetuning.views import AS_IT_IS, MIRRORED, Stem, stored_view
from embeddings.training.loop import EpochReport, LoopSettings, TrainingLog, train

OnStep = Callable[[str, int, int], None]
STORED_SIDE = 256  # of the decoded photos, from which views are cut
VERSION = 4  # of views and network: change it with anything that changes them


@dataclass(frozen=True)
class FinetuneSettings:
    """What is trained, beside the loop."""

    backbone: str
    labels: tuple[str, ...]
    side: int = 256
    n_views: int = 12  # of each training photo
    measure_test: bool = False

    def __post_init__(self) -> None:
        if self.side % 32 or self.side > STORED_SIDE or self.side < 32:
            raise ValueError(
                f"side {self.side}: expected a multiple of 32 from 32 to {STORED_SIDE}"
            )


@dataclass(frozen=True)
class Places:
    """Where a training keeps what; `output` is the weights' file, the JSON goes beside it."""

    output: Path
    cache: Path


def finetune(
    sets: Mapping[str, list[LabelledPhoto]],
    build_classifier: Callable[[], nn.Module],
    settings: FinetuneSettings,
    loop: LoopSettings,
    *,
    places: Places,
    weights_sha256: str,
    about: Mapping[str, object],
    refit: Description | None = None,
    on_step: OnStep | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> dict[str, object]:
    """Train, choose the vector on validation photos, and write both files; what the JSON says.

    `build_classifier` gives the torchvision network with its ImageNet weights, whose file has
    `weights_sha256`. With `refit`, validation photos are learned from too, all epochs are run, and
    the vector's mixture and the calibration are that backbone's. Killed, it goes on where it was
    when called again. The cached views are deleted at the end.

    Raises:
        ValueError: there is nothing to learn, or `refit` has other heads.
        CheckpointMismatch: `places.cache` holds another training of this output.
    """
    photos = load_photos(
        dict(sets), settings.labels, side=STORED_SIDE, cache=places.cache, on_step=on_step
    )
    heads = {head.name: len(head.values) for head in photos.heads}
    taken = None
    if refit is not None:
        photos = photos.with_validation()
        taken = _Outcome(mixture_of(refit, heads), dict(refit.calibration), {})
    torch.manual_seed(loop.seed)
    module = build_label_network(settings.backbone, build_classifier(), heads, settings.side)
    key = f"{settings} {photos.fingerprint} {weights_sha256} {VERSION}"
    folder = places.cache / f"views-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    task = _task(module, photos, settings, loop.seed, folder, on_step)
    checkpoint = places.cache / f"{places.output.stem}.checkpoint.safetensors"
    log = train(
        task, loop, checkpoint=checkpoint, fingerprint=key, on_step=on_step, on_epoch=on_epoch
    )
    found = taken or _chosen(task, photos, loop.seed, on_step)
    if settings.measure_test:
        found.metrics["test"] = _test_metrics(task, photos, found.mixture, found.calibration)
    found.write_into(module)
    description = _description(photos, settings, module, found)
    description["metrics"] = found.metrics
    description["training"] = _training(photos, settings, loop, log, weights_sha256, about)
    if refit is not None:
        description["training"]["refit"] = refit.name
    _save(module, description, places.output)
    checkpoint.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return description


def _task(
    module: LabelNetwork,
    photos: TrainingPhotos,
    settings: FinetuneSettings,
    seed: int,
    folder: Path,
    on_step: OnStep | None,
) -> LabelTask:
    """The task with all its views, which are computed unless the folder has them."""
    stem = _stem(module, settings.side)
    options = {"folder": folder, "side": settings.side, "seed": seed, "on_step": on_step}
    clean = [
        stored_view(photos.pixels, stem, which=which, **options) for which in (AS_IT_IS, MIRRORED)
    ]
    trained_on = _Chosen(photos.pixels, photos.rows("train"))
    views = [
        stored_view(trained_on, stem, which=number, **options)
        for number in range(1, settings.n_views + 1)
    ]
    return LabelTask(module, photos, views, clean)


def _stem(module: LabelNetwork, side: int) -> Stem:
    """The frozen part by the fastest runtime of this machine; it is not what is compared later."""
    with torch.no_grad():
        shape = module.frozen.eval()(torch.zeros(1, 3, side, side)).shape[1:]
    flat = nn.Sequential(module.frozen, nn.Flatten())
    network = Network(SimpleNamespace(framing=WholePhoto(side)), flat)
    fast = accelerated(network, available_runtimes()[0])
    return lambda pixels: fast.features(pixels).reshape(len(pixels), *shape)


class _Chosen:
    """Some rows of an array on disk, without a copy of them all."""

    def __init__(self, array: np.ndarray, rows: np.ndarray) -> None:
        self._array, self._rows = array, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: slice) -> np.ndarray:
        return self._array[self._rows[part]]


@dataclass(frozen=True)
class _Outcome:
    """What was chosen and measured after training."""

    mixture: Mixture
    calibration: dict[str, float]
    metrics: dict[str, object]

    def write_into(self, module: LabelNetwork) -> None:
        """Weights and temperatures become part of the network."""
        module.weights.copy_(torch.from_numpy(self.mixture.weights))
        module.temperatures.copy_(torch.from_numpy(self.mixture.temperatures))


def _chosen(task: LabelTask, photos: TrainingPhotos, seed: int, on_step: OnStep | None) -> _Outcome:
    """Mixture and calibration by the validation part."""
    validation = photos.rows("validation")
    seen = np.sort(np.concatenate([photos.rows("train"), validation]))
    described = task.describe(seen)
    mixture = choose_mixture(photos, seen, validation, described, seed=seed, on_step=on_step)
    told = _of_rows(described, seen, validation)
    calibration = {
        head.name: calibration_temperature(
            told.logits[head.name], photos.targets[head.name][validation]
        )
        for head in photos.heads
    }
    measured = {
        "precision_at_5": precisions(photos, seen, validation, vectors(described, mixture)),
        "labels": _labels(photos, validation, told, calibration),
    }
    return _Outcome(mixture, calibration, {"validation": measured})


def _test_metrics(
    task: LabelTask, photos: TrainingPhotos, mixture: Mixture, calibration: dict[str, float]
) -> dict[str, object]:
    """Queries of the test part against everything else, and against the test part alone."""
    test, everything = photos.rows("test"), np.arange(len(photos.split))
    described = task.describe(everything)
    embedded = vectors(described, mixture)
    return {
        "precision_at_5": precisions(photos, everything, test, embedded),
        "precision_at_5_test_gallery": precisions(photos, test, test, embedded[test]),
        "labels": _labels(photos, test, _of_rows(described, everything, test), calibration),
    }


def _labels(
    photos: TrainingPhotos, rows: np.ndarray, told: Described, calibration: dict[str, float]
) -> dict[str, object]:
    measured = {}
    for head in photos.heads:
        probabilities = softmax(told.logits[head.name] / calibration[head.name], axis=1)
        targets = photos.targets[head.name]
        measure = measure_label(probabilities, targets[rows], targets[photos.rows("train")])
        if measure is not None:
            measured[head.name] = measure.as_dict()
    return measured


def _of_rows(described: Described, rows: np.ndarray, wanted: np.ndarray) -> Described:
    """The part of `described`, which belongs to ascending `rows`, that belongs to `wanted`."""
    places = np.searchsorted(rows, wanted)
    logits = {name: values[places] for name, values in described.logits.items()}
    return Described(described.metric[places], described.colors[places], logits)


def _description(
    photos: TrainingPhotos,
    settings: FinetuneSettings,
    module: LabelNetwork,
    found: _Outcome,
) -> dict[str, object]:
    names = tuple(head.name for head in photos.heads)
    n_colors = module.colors.by_color.in_channels * module.colors.by_color.out_channels
    return {
        "kind": KIND,
        "backbone": settings.backbone,
        "side": settings.side,
        "dimension": METRIC + n_colors + sum(len(head.values) for head in photos.heads),
        "heads": {head.name: list(head.values) for head in photos.heads},
        **as_plain(found.mixture, names),
        "calibration": found.calibration,
    }


def _training(
    photos: TrainingPhotos,
    settings: FinetuneSettings,
    loop: LoopSettings,
    log: TrainingLog,
    weights_sha256: str,
    about: Mapping[str, object],
) -> dict[str, object]:
    return {
        "settings": asdict(settings),
        "loop": asdict(loop),
        "log": asdict(log),
        "n_photos": {
            part: {name: len(photos.rows(part, name)) for name in dict.fromkeys(photos.set_names)}
            for part in ("train", "validation", "test")
        },
        "data_fingerprint": photos.fingerprint,
        "imagenet_weights_sha256": weights_sha256,
        **about,
    }


def _save(module: LabelNetwork, description: dict[str, object], output: Path) -> None:
    """Both files, each replaced as a whole; the weights first, as the JSON names their hash."""
    output.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    partial = output.with_name(f"{output.name}.{os.getpid()}.part")
    save_file(state, partial)
    partial.chmod(0o644)  # a worker may run as somebody else
    description["name"], description["weights_sha256"] = output.stem, file_sha256(partial)
    described = output.with_suffix(".json")
    partial_json = described.with_name(f"{described.name}.{os.getpid()}.part")
    partial_json.write_text(json.dumps(description, indent=1), encoding="utf-8")
    partial.replace(output)
    partial_json.replace(described)
