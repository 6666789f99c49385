"""Training the garment parser on folders of photos."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from embeddings.garments.classes import N_CLASSES, Color
from embeddings.nets.garment_parser import GarmentParser, load_parser, save_parser
from embeddings.photo_sets import LabelledPhoto, PhotoSetError, split_of
from embeddings.training.loop import EpochReport, LoopSettings, TrainingLog, train
from embeddings.training.parsing import drawing
from embeddings.training.parsing.drawing import PHOTO_SHARE
from embeddings.training.parsing.examples import Examples, read_backdrops, read_examples
from embeddings.training.parsing.parser_task import DRAWS_PER_EPOCH, ParserTask

MAX_BACKDROPS = 2000

OnStep = Callable[[str, int, int], None]
OnEpoch = Callable[[EpochReport], None]


@dataclass(frozen=True)
class ParserStart:
    """What a training begins with, and how often it shows photos as they are."""

    parser: Path | None = None  # whose parameters it goes on from; None: random numbers
    photo_share: float = PHOTO_SHARE


@dataclass(frozen=True)
class ParserData:
    """What a parser is trained on; the test part of neither folder is in it.

    No photos for validation: the last epoch is kept.
    """

    train: Sequence[LabelledPhoto]
    validation: Sequence[LabelledPhoto]
    backdrops: Sequence[LabelledPhoto]
    palette: dict[str, Color]

    @classmethod
    def of(
        cls,
        photos: Sequence[LabelledPhoto],
        backdrops: Sequence[LabelledPhoto],
        palette: dict[str, Color],
        *,
        with_validation: bool = False,
    ) -> "ParserData":
        """The parts of mapped photos, and at most `MAX_BACKDROPS` of the others' training part.

        `with_validation` learns from the validation part too.

        Raises:
            PhotoSetError: too few photos have maps.
        """
        mapped = [photo for photo in photos if photo.segmentation_map is not None]
        parts = {
            part: [photo for photo in mapped if split_of(photo.group) == part]
            for part in ("train", "validation")
        }
        if not all(parts.values()):
            counts = " and ".join(f"{len(found)} for {part}" for part, found in parts.items())
            raise PhotoSetError(f"{len(mapped)} photos have maps, {counts}; both need some")
        others = [photo for photo in backdrops if split_of(photo.group) == "train"]
        others = others[:: max(1, len(others) // MAX_BACKDROPS)][:MAX_BACKDROPS]
        if with_validation:
            return cls(parts["train"] + parts["validation"], [], others, palette)
        return cls(parts["train"], parts["validation"], others, palette)


def train_parser(
    data: ParserData,
    settings: LoopSettings,
    *,
    output: Path,
    cache: Path,
    about: dict[str, object],
    start: ParserStart = ParserStart(),
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
) -> TrainingLog:
    """Train a parser from random numbers, and save it with its recipe and log beside it.

    `about` is added to the recipe (who measured where). Killed, it goes on from its checkpoint in
    `cache`; finished, the checkpoint is deleted.

    Raises:
        PhotoSetError: a photo has no map.
        WeightsRejected: the parser to start from cannot be used.
        CheckpointMismatch: the checkpoint is of another training.
    """
    started = time.monotonic()
    task = _task(data, settings.seed, start, cache, on_step)
    checkpoint = cache / f"{output.stem}.checkpoint.safetensors"
    fingerprint = f"{len(data.train)} {len(data.validation)} {len(data.backdrops)} {start}"
    log = train(
        task,
        settings,
        checkpoint=checkpoint,
        fingerprint=fingerprint,
        on_step=on_step,
        on_epoch=on_epoch,
    )
    seconds = round(time.monotonic() - started, 1)
    save_parser(task.module, output, _recipe(data, settings, start, log, seconds) | about)
    checkpoint.unlink(missing_ok=True)
    return log


def _task(
    data: ParserData, seed: int, start: ParserStart, cache: Path, on_step: OnStep | None
) -> ParserTask:
    def reading(stage: str) -> Callable[[int, int], None] | None:
        return None if on_step is None else lambda done, total: on_step(stage, done, total)

    examples: list[Examples | None] = [
        read_examples(part, data.palette, cache, reading(f"reading {name}")) if part else None
        for name, part in (("examples", data.train), ("validation", data.validation))
    ]
    backdrops = read_backdrops(data.backdrops, cache, reading("reading backdrops"))
    torch.manual_seed(seed)
    parser = GarmentParser(N_CLASSES)
    if start.parser is not None:
        parser.load_state_dict(load_parser(start.parser).state_dict())
    return ParserTask(parser, *examples, backdrops, start.photo_share)


def _recipe(
    data: ParserData,
    settings: LoopSettings,
    start: ParserStart,
    log: TrainingLog,
    seconds: float,
) -> dict[str, object]:
    """What it was made from and how, as plain values."""
    return {
        "initialisation": f"random, seed {settings.seed}" if start.parser is None else _past(start),
        "data": {
            "examples": len(data.train),
            "validation": len(data.validation),
            "backdrops": len(data.backdrops),
        },
        "crop": [drawing.HEIGHT, drawing.WIDTH],
        "photo_share": start.photo_share,
        "draws_per_epoch": DRAWS_PER_EPOCH,
        "loop": asdict(settings),
        "validation_garment_iou": [round(score, 4) for score in log.scores],
        "losses": [round(loss, 4) for loss in log.losses],
        "best_epoch": log.best_epoch,
        "training_seconds": round(log.seconds, 1),
        "seconds_of_this_run": seconds,
        "n_resumed": log.n_resumed,
    }


def _past(start: ParserStart) -> dict[str, object]:
    """The recipe of the parser that a training went on from."""
    return json.loads(start.parser.with_suffix(".json").read_text(encoding="utf-8"))
