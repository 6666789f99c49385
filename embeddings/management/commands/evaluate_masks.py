"""`manage.py evaluate_masks`: how well garments are found in photos, against their maps."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.progress import StagedProgress
from catalog.provenance import code_version, machine
from embeddings.garments.finding import GRABCUT, PARSER, SEGFORMER, WHITE_BACKGROUND
from embeddings.garments.segformer import SegformerUnavailable
from embeddings.management.commands.train_parser import mapped_photos
from embeddings.mask_evaluation.measuring import (
    WHOLE,
    MethodResult,
    find_photo,
    measure_method,
    method_settings,
    true_classes,
)
from embeddings.mask_evaluation.report import as_values, table
from embeddings.mask_evaluation.sheet import Case, draw_sheet
from embeddings.mask_settings import finder_settings
from embeddings.nets.errors import WeightsUnavailable
from embeddings.photo_sets import PARTS, LabelledPhoto, PhotoSetError, split_of
from embeddings.photos import PhotoError, read_photo

METHODS = (PARSER, GRABCUT, WHITE_BACKGROUND, WHOLE)
N_WORST = 20


class Command(BaseCommand):
    """Reads folders; no database is asked."""

    requires_system_checks = []
    help = (
        "Compare every way to find the garments in a photo with segmentation maps: the garment "
        "IoU averaged over photos, the classes' mean IoU, images per second."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--photos", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--segmentation", type=Path, metavar="DIR", help="default: the photos' own maps"
        )
        parser.add_argument("--palette", type=Path, metavar="FILE", help="default: as train_parser")
        parser.add_argument(
            "--part",
            choices=[*PARTS, "all"],
            default="test",
            help="the part of the photos, as all models split them; default: %(default)s",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
        parser.add_argument(
            "--worst",
            type=Path,
            metavar="FILE",
            help=f"draw the {N_WORST} photos that the first method did worst on",
        )

    def handle(self, **options: object) -> None:
        """Measure, print, write."""
        try:
            self._measure(options)
        except (
            PhotoSetError,
            PhotoError,
            ValueError,
            WeightsUnavailable,
            SegformerUnavailable,
        ) as error:
            raise CommandError(str(error)) from error

    def _measure(self, options: dict[str, object]) -> None:
        photos, palette = mapped_photos(options)
        photos = [photo for photo in photos if photo.segmentation_map is not None]
        part = options["part"]
        photos = [photo for photo in photos if part in ("all", split_of(photo.group))]
        if not photos:
            raise PhotoSetError(f"no photo with a map is in the part {part!r}")
        finders = finder_settings()
        methods = (SEGFORMER, *METHODS) if finders.segformer else METHODS
        self.stdout.write(f"{len(photos):,} photos ({part}):")
        with StagedProgress() as bars:
            results = [measure_method(m, photos, palette, finders, bars) for m in methods]
        self.stdout.write("\n".join(table(results)))
        if options["json"]:
            _write_json(options["json"], results, f"{options['photos'].name}, {part} part")
        if options["worst"]:
            one = method_settings(results[0].method, finders)
            cases = [
                _case(photos[i], results[0].ious[i], palette, one)
                for i in np.argsort(results[0].ious)[:N_WORST]
            ]
            draw_sheet(cases, options["worst"])


def _case(photo: LabelledPhoto, iou: float, palette: dict, finders: object) -> Case:
    with photo.path.open("rb") as file:
        pixels = np.asarray(read_photo(file))
    shown, found = true_classes(photo, palette) > 0, find_photo(photo, finders).mask
    return Case(pixels, shown, found, f"{photo.item_id}: {iou:.2f}")


def _write_json(path: Path, results: list[MethodResult], data: str) -> None:
    values = {
        "benchmark": "masks",
        "machine": machine(),
        "commit": code_version(settings.BASE_DIR),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": data,
        "methods": as_values(results),
    }
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
