"""`manage.py finetune`: teach an ImageNet backbone the labels of your own photos."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.progress import StagedProgress
from embeddings import finetuning
from embeddings.training_command import TrainingCommand

if TYPE_CHECKING:
    from embeddings.training.finetuning.finetune import FinetuneSettings
    from embeddings.training.loop import LoopSettings

LABELS = "category,color,gender"
N_EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY, PATIENCE = 20, 64, 3e-4, 0.01, 5


class Command(TrainingCommand):
    """Reads labelled photos, trains, and registers the result as a backbone of its own."""

    help = (
        "Fine-tune an ImageNet backbone on labelled photos and register it beside the others: "
        "embed_products --backbone NAME then embeds by it, and a ranking profile switches to it. "
        "Killed, the same command goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--backbone", choices=finetuning.BACKBONES, default="mobilenet_v2")
        parser.add_argument(
            "--labels", default=LABELS, help="what to learn, by commas (default: %(default)s)"
        )
        parser.add_argument(
            "--photos",
            type=Path,
            nargs="+",
            metavar="DIR",
            help="folders of labelled photos, the catalogue's first; default: the products on sale",
        )
        parser.add_argument(
            "--refit",
            metavar="NAME",
            help="train once more by the settings, the vector's mixture and the calibration of "
            "this fine-tuned backbone, now on validation photos too and to the last epoch; the "
            "options on training are then not looked at",
        )
        parser.add_argument(
            "--name", help="of the new backbone; default: BACKBONE_finetuned, or NAME_refit"
        )
        parser.add_argument("--epochs", type=int, default=N_EPOCHS, help="default: %(default)s")
        parser.add_argument(
            "--batch-size", type=int, default=BATCH_SIZE, help="default: %(default)s"
        )
        parser.add_argument(
            "--learning-rate", type=float, default=LEARNING_RATE, help="default: %(default)s"
        )
        parser.add_argument(
            "--weight-decay", type=float, default=WEIGHT_DECAY, help="default: %(default)s"
        )
        parser.add_argument(
            "--patience",
            type=int,
            default=PATIENCE,
            help="epochs without gain to stop after (%(default)s)",
        )
        parser.add_argument(
            "--side", type=int, default=256, help="of the input in pixels (%(default)s)"
        )
        parser.add_argument(
            "--views", type=int, default=12, help="augmented views of each photo (%(default)s)"
        )
        parser.add_argument("--seed", type=int, default=42, help="default: %(default)s")
        parser.add_argument(
            "--measure-test", action="store_true", help="measure the test part too, at the end"
        )

    def train(self, options: dict[str, Any]) -> None:
        """Train, and say where the result is."""
        if options["refit"]:
            refit, settings, loop = finetuning.earlier_training(options["refit"])
            settings = replace(settings, measure_test=options["measure_test"])
            name = options["name"] or f"{refit.name}_refit"
        else:
            refit, settings, loop = None, *_settings(options)
            name = options["name"] or f"{options['backbone']}_finetuned"
        sets = finetuning.labelled_sets(options["photos"])
        for set_name, photos in sets.items():
            self.stdout.write(f"{set_name}: {len(photos):,} labelled photos.")
        with StagedProgress() as bars:
            described = finetuning.finetune_backbone(
                name=name,
                sets=sets,
                settings_=settings,
                loop=loop,
                refit=refit,
                on_step=bars,
                on_epoch=lambda report: self.stdout.write(report.line),
            )
        self._report(name, described)

    def _report(self, name: str, described: dict[str, object]) -> None:
        for part, found in described["metrics"].items():
            for label, precision in found["precision_at_5"].items():
                told = found["labels"].get(label)
                top1 = f", told right {told['top1']:.3f}" if told else ""
                self.stdout.write(f"{part}, {label}: precision@5 {precision:.3f}{top1}")
        log = described["training"]["log"]
        self.stdout.write(
            f"{name} is registered, after {log['seconds'] / 60:.1f} min of training (best epoch "
            f"{log['best_epoch']}). Next: manage.py embed_products --backbone {name}, then "
            "choose it in a ranking profile."
        )


def _settings(options: dict[str, Any]) -> "tuple[FinetuneSettings, LoopSettings]":
    from embeddings.training.finetuning.finetune import FinetuneSettings
    from embeddings.training.loop import LoopSettings

    labels = tuple(label.strip() for label in options["labels"].split(",") if label.strip())
    settings = FinetuneSettings(
        options["backbone"],
        labels,
        side=options["side"],
        n_views=options["views"],
        measure_test=options["measure_test"],
    )
    loop = LoopSettings(
        n_epochs=options["epochs"],
        batch_size=options["batch_size"],
        learning_rate=options["learning_rate"],
        weight_decay=options["weight_decay"],
        patience=options["patience"],
        seed=options["seed"],
    )
    return settings, loop
