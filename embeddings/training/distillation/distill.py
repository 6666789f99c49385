"""From labelled photos and a teacher to a small network: the whole of one distillation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from embeddings.nets.fashrec_small import LEARNED, FashrecSmall
from embeddings.photo_sets import LabelledPhoto, split_of
from embeddings.training.distillation.pool import Progress, ViewCounts, ViewPool, draw_pool
from embeddings.training.distillation.task import Distillation, LossWeights
from embeddings.training.distillation.teacher import Teacher, target_directions, teacher_features
from embeddings.training.loop import LoopSettings, OnEpoch, TrainingLog, train

VALIDATION_COUNTS = ViewCounts(photo=1, cut_out=1)
# Early stopping is off: the rate falls to nothing at the end, where a student gains most.
NO_PATIENCE = 10_000


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, beside the photos, the teacher and the start."""

    n_epochs: int = 5
    views_per_epoch: int = 26_000
    batch_size: int = 96
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    seed: int = 42
    with_validation: bool = False  # learns from the validation part too; the last epoch is kept
    counts: ViewCounts = field(default_factory=ViewCounts)
    losses: LossWeights = field(default_factory=LossWeights)

    @property
    def parts(self) -> tuple[str, ...]:
        """Of the photos, that are learned from."""
        return ("train", "validation") if self.with_validation else ("train",)

    @property
    def loop(self) -> LoopSettings:
        """As the training loop takes it."""
        return LoopSettings(
            n_epochs=self.n_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            patience=NO_PATIENCE,
            seed=self.seed,
        )


@dataclass(frozen=True)
class KnownTeacher:
    """A network that runs, and what it is; `side` is what it takes only, in pixels."""

    network: Teacher
    name: str
    weights_sha256: str
    side: int | None = None


@dataclass(frozen=True)
class Distilled:
    """The student with its best epoch's parameters, and how it came about.

    `checkpoint` is to be deleted once the student is stored.
    """

    student: nn.Module
    log: TrainingLog
    record: dict[str, object]
    checkpoint: Path


def distill(
    sets: Mapping[str, Sequence[LabelledPhoto]],
    teacher: KnownTeacher,
    recipe: Recipe,
    *,
    cache: Path,
    start: Path | None = None,
    on_progress: Progress | None = None,
    on_epoch: OnEpoch | None = None,
) -> Distilled:
    """Teach a `FashrecSmall` what `teacher` sees on the recipe's parts of `sets`.

    It begins with random parameters, or with those of an earlier distillation (`start`). Killed at
    any moment it goes on from `cache` when called again with the same arguments; there lie also
    the views (49 kB each) and what the teacher says of them.

    Raises:
        PhotoSetError: a photo that cannot be read.
        CheckpointMismatch: the checkpoint there cannot be read.
    """
    pool = _pool(sets, recipe.parts, recipe.counts, cache, recipe.seed, on_progress)
    validation = None
    if not recipe.with_validation:
        counts = VALIDATION_COUNTS
        validation = _pool(sets, ("validation",), counts, cache, recipe.seed, on_progress)
    identity = f"{pool.fingerprint}-{teacher.weights_sha256[:12]}"
    file = cache / f"teacher-{identity}.npy"
    features = teacher_features(pool.images, teacher.network, file, teacher.side, on_progress)
    task = Distillation(
        _student(start, recipe.seed),
        LEARNED,
        pool=pool,
        targets=target_directions(features, LEARNED, seed=recipe.seed),
        validation=validation,
        weights=recipe.losses,
        views_per_epoch=recipe.views_per_epoch,
    )
    fingerprint = json.dumps([identity, asdict(recipe), str(start)])
    checkpoint = cache / f"distillation-{_short(fingerprint)}.safetensors"
    log = train(
        task,
        recipe.loop,
        checkpoint=checkpoint,
        fingerprint=fingerprint,
        on_step=on_progress,
        on_epoch=on_epoch,
    )
    record = _record(sets, teacher, recipe, pool, validation, log)
    return Distilled(task.module["student"], log, record, checkpoint)


def _pool(
    sets: Mapping[str, Sequence[LabelledPhoto]],
    parts: tuple[str, ...],
    counts: ViewCounts,
    cache: Path,
    seed: int,
    on_progress: Progress | None,
) -> ViewPool:
    chosen = {
        name: [photo for photo in photos if split_of(photo.group) in parts]
        for name, photos in sets.items()
    }
    return draw_pool(chosen, counts, cache=cache, seed=seed, on_progress=on_progress)


def _student(start: Path | None, seed: int) -> FashrecSmall:
    import torch

    torch.manual_seed(seed)
    student = FashrecSmall()
    if start is not None:
        state = load_file(start)
        student.load_state_dict(
            {n: v.float() if v.is_floating_point() else v for n, v in state.items()}
        )
    return student


def _record(
    sets: Mapping[str, Sequence[LabelledPhoto]],
    teacher: KnownTeacher,
    recipe: Recipe,
    pool: ViewPool,
    validation: ViewPool | None,
    log: TrainingLog,
) -> dict[str, object]:
    """What is told of the training beside its weights."""
    return {
        "teacher": {"name": teacher.name, "weights_sha256": teacher.weights_sha256},
        "recipe": asdict(recipe),
        "photos": {
            name: sum(split_of(photo.group) in recipe.parts for photo in photos)
            for name, photos in sets.items()
        },
        "n_views": len(pool),
        "n_validation_views": 0 if validation is None else len(validation),
        "labels": {name: len(classes) for name, classes in pool.labels.items()},
        "log": asdict(log),
    }


def _short(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]
