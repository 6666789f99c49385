"""`manage.py evaluate_masks`: how well garments are found in photos, against their maps."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from PIL import Image

from catalog.progress import StagedProgress
from catalog.provenance import code_version, machine
from embeddings.admission import Way, by_way
from embeddings.encoders import is_network, load_encoder
from embeddings.garments.classes import Color
from embeddings.garments.finding import (
    GRABCUT,
    PARSER,
    SEGFORMER,
    WHITE_BACKGROUND,
    FinderSettings,
)
from embeddings.mapped_photos import mapped_photos
from embeddings.mask_evaluation.garment_search import Encode
from embeddings.mask_evaluation.garment_ways import garment_table, measure_garments
from embeddings.mask_evaluation.measuring import (
    ORDER,
    WHOLE,
    MethodResult,
    find_photo,
    measure_method,
    method_settings,
    true_classes,
)
from embeddings.mask_evaluation.report import as_values, table
from embeddings.mask_evaluation.sheet import Case, draw_sheet
from embeddings.mask_settings import current_mask_settings, finder_settings
from embeddings.nets.errors import WeightsUnavailable
from embeddings.nets.runtimes import OPENVINO_FP32, available_runtimes
from embeddings.photo_sets import PARTS, LabelledPhoto, PhotoSetError, split_of
from embeddings.photos import DecodedPhoto, PhotoError, read_photo

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

        parser.add_argument(
            "--garments",
            metavar="BACKBONE",
            help="measure as well whether this backbone finds garments of a kind better by one "
            "vector per garment than by one for the whole body; it asks from the test part",
        )

    def handle(self, **options: object) -> None:
        """Measure, print, write."""
        try:
            self._measure(options)
        except (PhotoSetError, PhotoError, ValueError, WeightsUnavailable) as error:
            raise CommandError(str(error)) from error

    def _measure(self, options: dict[str, object]) -> None:
        photos, palette = mapped_photos(
            options["photos"], options["segmentation"], options["palette"]
        )
        mapped = [photo for photo in photos if photo.segmentation_map is not None]
        part = options["part"]
        photos = [photo for photo in mapped if part in ("all", split_of(photo.group))]
        if not photos:
            raise PhotoSetError(f"no photo with a map is in the part {part!r}")
        finders = finder_settings()
        methods = (SEGFORMER, *METHODS) if finders.segformer else METHODS
        methods = (*methods, ORDER) if finders.methods else methods
        self.stdout.write(f"{len(photos):,} photos ({part}):")
        with StagedProgress() as bars:
            results = [measure_method(m, photos, palette, finders, bars) for m in methods]
        self.stdout.write("\n".join(table(results)))
        garments = self._garments(mapped, palette, options["garments"], finders)
        if options["json"]:
            data = f"{options['photos'].name}, {part} part"
            _write_json(options["json"], results, data, garments)
        if options["worst"]:
            one = method_settings(results[0].method, finders)
            cases = [
                _case(photos[i], results[0].ious[i], palette, one)
                for i in np.argsort(results[0].ious)[:N_WORST]
            ]
            draw_sheet(cases, options["worst"])

    def _garments(
        self,
        photos: list[LabelledPhoto],
        palette: dict[str, Color],
        backbone: str | None,
        finders: FinderSettings,
    ) -> dict[str, object]:
        """The comparison of garments with whole bodies, where it is asked for."""
        if not backbone:
            return {}
        with StagedProgress() as bars:
            found = measure_garments(photos, palette, _encode_by(backbone), finders, bars)
        self.stdout.write("\n".join(garment_table(found)))
        return {"backbone": backbone, "garments": found}


def _encode_by(backbone: str) -> Encode:
    """Whole pictures -> unit vectors by a backbone in fp32."""
    encoder, whole = load_encoder(backbone), current_mask_settings()
    if is_network(backbone) and OPENVINO_FP32 in available_runtimes():
        encoder = by_way(encoder, Way(OPENVINO_FP32, is_reduced=False))

    def encode(pictures: Sequence[np.ndarray]) -> np.ndarray:
        images = [Image.fromarray(picture) for picture in pictures]
        decoded = [DecodedPhoto(image, image.size) for image in images]
        values = encoder.encode([encoder.prepare(one, None, whole) for one in decoded])
        return values / np.linalg.norm(values, axis=1, keepdims=True)

    return encode


def _case(photo: LabelledPhoto, iou: float, palette: dict, finders: object) -> Case:
    with photo.path.open("rb") as file:
        pixels = np.asarray(read_photo(file))
    shown, found = true_classes(photo, palette) > 0, find_photo(photo, finders).mask
    return Case(pixels, shown, found, f"{photo.item_id}: {iou:.2f}")


def _write_json(
    path: Path, results: list[MethodResult], data: str, garments: dict[str, object]
) -> None:
    values = {
        "benchmark": "masks",
        "machine": machine(),
        "commit": code_version(settings.BASE_DIR),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": data,
        "methods": as_values(results),
    } | garments
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
