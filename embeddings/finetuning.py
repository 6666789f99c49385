"""Fine-tuning on the products' photos or on folders, and the new backbone beside the others."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from catalog.models import ProductImage
from catalog.provenance import code_version, machine
from embeddings.encoders import COLOR_LAYOUT, weights_folders, weights_source
from embeddings.nets import backbones
from embeddings.nets.finetuned import Description, find_finetuned, finetuned_names
from embeddings.nets.weights import file_sha256
from embeddings.photo_sets import LabelledPhoto, PhotoSetError, read_photo_set
from embeddings.services import register_backbone

if TYPE_CHECKING:
    from embeddings.training.finetuning.finetune import FinetuneSettings
    from embeddings.training.loop import EpochReport, LoopSettings

BACKBONES = ("mobilenet_v2", "resnet50")
CATALOGUE = "catalogue"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")


def labelled_sets(folders: Sequence[Path] | None = None) -> dict[str, list[LabelledPhoto]]:
    """The photos of the folders by their names; without folders those of the products on sale.

    Raises:
        PhotoSetError: a folder is no photo set, or there is no product with a photo.
    """
    if folders:
        sets = {folder.resolve().name: read_photo_set(folder) for folder in folders}
        if len(sets) < len(folders):
            raise PhotoSetError("expected folders of different names, as they name their labels")
        return sets
    return {CATALOGUE: _catalogue_photos()}


def finetune_backbone(
    *,
    name: str,
    sets: dict[str, list[LabelledPhoto]],
    settings_: "FinetuneSettings",
    loop: "LoopSettings",
    refit: Description | None = None,
    on_step: Callable[[str, int, int], None] | None = None,
    on_epoch: "Callable[[EpochReport], None] | None" = None,
) -> dict[str, object]:
    """Train a backbone, store it among the weights, and register it; what its JSON says.

    Nothing that is served changes: a ranking profile switches to it when its photos are embedded.

    Raises:
        ValueError: the name is taken by another kind of backbone, or there is nothing to learn.
        WeightsUnavailable: the ImageNet weights cannot be had.
        CheckpointMismatch: another training of that name is unfinished.
    """
    if not NAME.fullmatch(name) or name in (*backbones.BACKBONES, COLOR_LAYOUT):
        raise ValueError(
            f"name {name!r}: expected a new one of small letters, digits, '_', '-' and '.'"
        )
    from embeddings.nets.networks import load_classifier
    from embeddings.training.finetuning.finetune import Places, finetune

    spec, source = backbones.BACKBONES[settings_.backbone], weights_source()
    weights = source.obtain(spec)
    described = finetune(
        sets,
        lambda: load_classifier(spec, weights),
        settings_,
        loop,
        places=Places(
            source.cache_dir / f"{name}.safetensors", settings.FASHREC_HOME / "training" / name
        ),
        weights_sha256=file_sha256(weights),
        about={"code_version": code_version(settings.BASE_DIR), "machine": machine()},
        refit=refit,
        on_step=on_step,
        on_epoch=on_epoch,
    )
    register_backbone(name=name)
    return described


def earlier_training(name: str) -> "tuple[Description, FinetuneSettings, LoopSettings]":
    """A fine-tuned backbone and the settings that it was trained by.

    Raises:
        ValueError: there is none of that name.
        WeightsRejected: its description cannot be read.
    """
    from embeddings.training.finetuning.finetune import FinetuneSettings
    from embeddings.training.loop import LoopSettings

    folders = weights_folders()
    spec = find_finetuned(name, folders)
    if spec is None:
        names = ", ".join(finetuned_names(folders)) or "none"
        raise ValueError(f"{name} is no fine-tuned backbone; there are: {names}")
    training = spec.description.training
    settings_ = training["settings"] | {"labels": tuple(training["settings"]["labels"])}
    return spec.description, FinetuneSettings(**settings_), LoopSettings(**training["loop"])


def _catalogue_photos() -> list[LabelledPhoto]:
    """The primary photos of products on sale, grouped by title, as twins share it.

    Raises:
        PhotoSetError: there are none.
    """
    photos = []
    for image in ProductImage.objects.active().primary().select_related("product__category"):
        product = image.product
        values = {
            "category": product.category.name,
            "gender": product.gender,
            "color": product.color,
            "season": product.season,
            "usage": product.usage,
        }
        photos.append(
            LabelledPhoto(
                path=Path(image.image.path),
                item_id=product.item_id,
                group=product.title or product.item_id,
                labels={name: value for name, value in values.items() if value},
            )
        )
    if not photos:
        raise PhotoSetError("no product on sale has a photo: import products, or name --photos")
    return photos
