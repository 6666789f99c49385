"""`manage.py distill`: train the small bundled backbone from random numbers, by a teacher."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from catalog.progress import StagedProgress
from catalog.provenance import code_version, machine
from embeddings.encoders import NetworkEncoder, load_encoder
from embeddings.photo_sets import LabelledPhoto, read_photo_set
from embeddings.training_command import TrainingCommand

if TYPE_CHECKING:
    from embeddings.training.distillation.distill import KnownTeacher, Recipe

DRAWN = "drawn"
DRAWN_SEED = 7  # not the demo's, whose garments should be new to the network


class Command(TrainingCommand):
    """Draws views, asks the teacher, trains, writes the network and its recipe."""

    help = (
        "Teach fashrec_small, a network of 5 MB, what a larger backbone sees, on labelled photos "
        "and drawn garments. Killed, the same command goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--photos",
            type=Path,
            nargs="+",
            required=True,
            metavar="DIR",
            help="labelled folders; what is published should be trained on photos with a licence",
        )
        parser.add_argument(
            "--teacher", default="mobilenet_v2", metavar="NAME", help="default: %(default)s"
        )
        parser.add_argument(
            "--drawn", type=int, default=1500, metavar="N", help="garments drawn; default: 1500"
        )
        parser.add_argument(
            "--start", type=Path, metavar="FILE", help="go on from an earlier distillation's result"
        )
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            default=settings.FASHREC_HOME / "weights" / "fashrec_small.safetensors",
            help="default: %(default)s, which is used before the one in the package",
        )
        parser.add_argument(
            "--with-validation",
            action="store_true",
            help="learn from the validation part too, to the last epoch: for a last training, with "
            "what an earlier one has shown",
        )
        parser.add_argument("--epochs", type=int, help="default: the recipe's")
        parser.add_argument("--views-per-epoch", type=int, help="default: the recipe's")
        parser.add_argument("--batch-size", type=int, help="default: the recipe's")
        parser.add_argument("--learning-rate", type=float, help="default: the recipe's")
        parser.add_argument("--seed", type=int, help="default: the recipe's")

    def train(self, options: dict[str, Any]) -> None:
        """Train, and say where the result is."""
        from embeddings.training.distillation.distill import distill
        from embeddings.training.distillation.storing import store_student

        cache = settings.FASHREC_HOME / "training"
        teacher = _teacher(options["teacher"])
        sets = {folder.resolve().name: read_photo_set(folder) for folder in options["photos"]}
        with StagedProgress() as bars:
            if options["drawn"]:
                sets[DRAWN] = _drawn_photos(cache, options["drawn"], bars)
            done = distill(
                sets,
                teacher,
                _recipe(options),
                cache=cache,
                start=options["start"],
                on_progress=bars,
                on_epoch=lambda report: self.stdout.write(report.line),
            )
        record = {
            **done.record,
            "start": _record_of(options["start"]),
            "code_version": code_version(settings.BASE_DIR),
            "machine": machine(),
        }
        n_bytes = store_student(done.student, record, options["output"])
        done.checkpoint.unlink(missing_ok=True)
        if done.log.scores:
            self.stdout.write(f"Same-label precision@5 {max(done.log.scores):.3f} on validation.")
        self.stdout.write(
            f"Epoch {done.log.best_epoch} is kept, after {done.log.seconds / 60:.1f} min; "
            f"{n_bytes / 1e6:.1f} MB stored as {options['output']}."
        )


def _teacher(name: str) -> "KnownTeacher":
    """The network that is asked, as fast as this processor can.

    Raises:
        WeightsUnavailable: it has no weights here.
        ValueError: no such backbone, or one that is no network.
    """
    encoder = load_encoder(name)
    if not isinstance(encoder, NetworkEncoder):
        raise ValueError(f"{name} is no network, and cannot be asked about views")
    from embeddings.nets.crops import WholePhoto
    from embeddings.nets.runtimes import TORCH_BF16, accelerated, available_runtimes
    from embeddings.training.distillation.distill import KnownTeacher

    network = encoder.network
    # ImageNet's networks average over whatever there is; others are of one size.
    side = encoder.framing.side if isinstance(encoder.framing, WholePhoto) else None
    if side is not None:
        network = accelerated(network, available_runtimes()[0])
    elif TORCH_BF16 in available_runtimes():  # the fastest one takes one size only
        network = accelerated(network, TORCH_BF16)
    return KnownTeacher(network, name, encoder.version.weights_sha256, side)


def _record_of(start: Path | None) -> object:
    """What is told of the distillation that this one goes on from."""
    if start is None:
        return "random numbers"
    described = start.with_suffix(".json")
    return json.loads(described.read_text(encoding="utf-8")) if described.is_file() else start.name


def _drawn_photos(cache: Path, n_products: int, bars: StagedProgress) -> list[LabelledPhoto]:
    from fashrec_site.demo.garments.catalogue import draw_catalogue

    folder = cache / f"{DRAWN}-{n_products}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        on_progress = bars.stage("Drawing garments")
        draw_catalogue(folder, seed=DRAWN_SEED, n_products=n_products, on_progress=on_progress)
    return read_photo_set(folder)


def _recipe(options: dict[str, object]) -> "Recipe":
    """The recipe, with what was asked for instead of its own."""
    from embeddings.training.distillation.distill import Recipe

    asked = {
        "n_epochs": options["epochs"],
        "views_per_epoch": options["views_per_epoch"],
        "batch_size": options["batch_size"],
        "learning_rate": options["learning_rate"],
        "seed": options["seed"],
        "with_validation": options["with_validation"] or None,
    }
    return Recipe(**{name: value for name, value in asked.items() if value is not None})
