"""`manage.py evaluate_attributes`: how well a fine-tuned backbone tells labels."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.progress import StagedProgress
from catalog.provenance import code_version, machine
from embeddings.attributes.services import NoAttributesError
from embeddings.nets.errors import WeightsUnavailable
from embeddings.nets.runtimes import REFERENCE, RUNTIMES
from embeddings.photo_sets import PhotoSetError, read_photo_set


class Command(BaseCommand):
    """Reads a folder; nothing is imported."""

    help = (
        "Measure how well a fine-tuned backbone tells the labels of the test part of a folder: "
        "top-1, macro-F1, always telling the commonest, and expected calibration error (15 bins)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("name", metavar="NAME", help="a backbone that finetune made")
        parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
        parser.add_argument("--runtime", choices=RUNTIMES, default=REFERENCE)

    def handle(self, **options: object) -> None:
        """Measure and print."""
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is first imported
        from embeddings.attributes.evaluation import evaluate_attributes

        folder = options["photos"]
        try:
            with StagedProgress() as bars:
                measured = evaluate_attributes(
                    options["name"],
                    read_photo_set(folder),
                    set_name=folder.resolve().name,
                    runtime=options["runtime"],
                    on_progress=bars.stage("photos"),
                )
        except (PhotoSetError, NoAttributesError, WeightsUnavailable, OSError) as error:
            raise CommandError(str(error)) from error
        for label, found in measured.items():
            self.stdout.write(
                f"{label}: top-1 {found['top1']:.3f}, macro-F1 {found['macro_f1']:.3f}, always "
                f"the commonest {found['majority']:.3f}, calibration error "
                f"{found['calibration_error']:.3f}, {found['n_photos']:,} photos"
            )
        if options["json"]:
            content = {
                "backbone": options["name"],
                "photos": folder.resolve().name,
                "labels": measured,
                "runtime": options["runtime"],
                "code_version": code_version(settings.BASE_DIR),
                "machine": machine(),
            }
            options["json"].write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
