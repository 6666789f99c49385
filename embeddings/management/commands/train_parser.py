"""`manage.py train_parser`: train the garment parser from random numbers on photos with maps."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog.progress import StagedProgress
from catalog.provenance import code_version, machine
from embeddings.mapped_photos import PALETTE, mapped_photos
from embeddings.photo_sets import read_photo_set
from embeddings.training_command import TrainingCommand

N_EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 25, 16, 2e-3, 0.02


class Command(TrainingCommand):
    """Reads folders, trains, writes the parser and its recipe."""

    help = (
        "Train the garment parser on photos with segmentation maps, cut out and laid over other "
        "backdrops. Killed, the same command goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--segmentation", type=Path, metavar="DIR", help="default: the photos' own maps"
        )
        parser.add_argument(
            "--palette",
            type=Path,
            metavar="FILE",
            help=f"default: FASHREC_SEGMENTATION_PALETTE, else {PALETTE} among the photos",
        )
        parser.add_argument(
            "--backdrops",
            type=Path,
            metavar="DIR",
            help="a labelled photo set whose edges become backdrops; default: plain ones only",
        )
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            default=settings.FASHREC_HOME / "weights" / "garment_parser.safetensors",
            help="default: %(default)s",
        )
        parser.add_argument("--epochs", type=int, default=N_EPOCHS, help="default: %(default)s")
        parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
        parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
        parser.add_argument("--seed", type=int, default=42)
        parser.add_argument(
            "--start", type=Path, metavar="FILE", help="go on from this parser; default: at random"
        )
        parser.add_argument(
            "--photo-share",
            type=float,
            default=0.5,
            help="of crops that are not cut out and laid elsewhere; default: %(default)s",
        )
        parser.add_argument(
            "--with-validation",
            action="store_true",
            help="learn from the validation photos too and keep the last epoch: for a last training"
            " whose settings others have shown to be good",
        )
        parser.add_argument(
            "--threads",
            type=int,
            metavar="N",
            help="of torch, by default all cores; beside other busy processes one is several times "
            "as fast, as its threads wait for each other",
        )

    def train(self, options: dict[str, Any]) -> None:
        """Train, and say where the result is."""
        import torch

        from embeddings.training.loop import LoopSettings
        from embeddings.training.parsing.training import ParserData, ParserStart, train_parser

        if options["threads"]:
            torch.set_num_threads(options["threads"])
        photos, palette = mapped_photos(
            options["photos"], options["segmentation"], options["palette"]
        )
        folder = options["backdrops"]
        data = ParserData.of(
            photos,
            read_photo_set(folder) if folder else [],
            palette,
            with_validation=options["with_validation"],
        )
        loop = LoopSettings(
            n_epochs=options["epochs"],
            batch_size=options["batch_size"],
            learning_rate=options["learning_rate"],
            weight_decay=WEIGHT_DECAY,
            patience=options["epochs"],
            seed=options["seed"],
        )
        output = options["output"]
        output.parent.mkdir(parents=True, exist_ok=True)
        self.stdout.write(
            f"Training on {len(data.train):,} photos, validating on {len(data.validation):,}, "
            f"{len(data.backdrops):,} backdrops."
        )
        about = {
            "folders": {
                "examples": options["photos"].name,
                "backdrops": folder.name if folder else None,
            },
            "code_version": code_version(settings.BASE_DIR),
            "machine": machine(),
        }
        with StagedProgress() as bars:
            log = train_parser(
                data,
                loop,
                output=output,
                cache=settings.FASHREC_HOME / "training",
                about=about,
                start=ParserStart(options["start"], options["photo_share"]),
                on_step=bars,
                on_epoch=lambda report: self.stdout.write(report.line),
            )
        if log.scores:
            self.stdout.write(
                f"Garment IoU {max(log.scores):.3f} on validation after epoch {log.best_epoch}."
            )
        self.stdout.write(f"Trained for {log.seconds / 60:.1f} min; stored as {output}.")
