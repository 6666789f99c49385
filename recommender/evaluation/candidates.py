"""Which backbones an evaluation compares, and the vectors that it needs of them."""

from collections.abc import Callable, Sequence

import numpy as np

from catalog.models import ProductImage
from embeddings.models import Backbone, Embedding, ProductVector
from embeddings.nets.errors import WeightsUnavailable
from embeddings.preference import backbones_with_vectors
from embeddings.querysets import MaskMethod
from embeddings.services import embed_images
from recommender.evaluation.catalogue import Catalogue, load_vectors
from recommender.evaluation.experiment import Vectors

PHOTOS_PER_BATCH = 64
MIN_SHARE = 0.5  # of the active products must have a vector, or a backbone stands for another shop


class EvaluationError(Exception):
    """There is nothing to evaluate; the message says which command changes that."""


def require_data(catalogue: Catalogue) -> None:
    """Refuse an empty catalogue and one from which nobody bought anything.

    Raises:
        EvaluationError: naming the command to run first.
    """
    if not catalogue.is_active.any():
        raise EvaluationError(
            "There are no active products to evaluate: run `manage.py import_products PATH` first."
        )
    if not len(catalogue.shopper_ids):
        raise EvaluationError(
            "There are no purchases to evaluate: run `manage.py simulate_purchases` or "
            "`manage.py import_purchases FILE.csv` first."
        )


def choose_backbones(
    names: Sequence[str] | None, catalogue: Catalogue
) -> tuple[list[Vectors], dict[str, str]]:
    """The backbones to compare with their vectors, most preferred first, and why others are not.

    Args:
        names: exactly these, in this order; None for all active ones that have enough vectors.
        catalogue: whose active products need vectors.

    Raises:
        EvaluationError: an unknown name, or one without enough vectors; or none is left.
    """
    known = _active_backbones()
    if names:
        for name in names:
            _require_known(name, known)
        chosen = [known[name] for name in dict.fromkeys(names)]
    else:
        chosen = list(known.values())
    reasons = {backbone.name: _reason_to_skip(backbone, catalogue) for backbone in chosen}
    skipped = {name: reason for name, reason in reasons.items() if reason}
    if names and skipped:
        command = f"`manage.py embed_products --backbone {' '.join(skipped)}`"
        raise EvaluationError(f"{'; '.join(skipped.values())}: run {command} first.")
    compared = [_load(catalogue, backbone) for backbone in chosen if backbone.name not in skipped]
    if not compared:
        reason = "; ".join(skipped.values()) or "No backbone has vectors of the active products"
        raise EvaluationError(f"{reason}: run `manage.py embed_products` first.")
    _require_ranked_purchases(catalogue, compared)
    return compared, skipped


def unmasked_vectors(
    catalogue: Catalogue, served: Vectors, on_progress: Callable[[int, int], None]
) -> tuple[Vectors | None, str]:
    """The same backbone's vectors of the whole photos, embedded now where they are missing.

    Returns:
        the vectors, or None and the reason: a catalogue without maps has nothing to compare.
    """
    if not catalogue.has_segmentation_maps:
        return None, "the catalogue has no segmentation maps"
    try:
        _embed_whole_photos(served.backbone, on_progress)
    except WeightsUnavailable as error:
        return None, f"whole photos could not be embedded: {error}"
    vectors, has_vector = load_vectors(catalogue, served.backbone, MaskMethod.NONE)
    if not (has_vector & served.has_vector).any():
        return None, "no whole photo could be embedded"
    return Vectors(served.backbone, vectors, has_vector), ""


def _active_backbones() -> dict[str, Backbone]:
    """By name, most preferred first; those without any vector last."""
    known = {backbone.name: backbone for backbone in backbones_with_vectors()}
    for backbone in Backbone.objects.filter(is_active=True).order_by("name"):
        known.setdefault(backbone.name, backbone)
    return known


def _require_known(name: str, known: dict[str, Backbone]) -> None:
    if name not in known:
        existing = ", ".join(known) or "none yet"
        raise EvaluationError(
            f"Unknown backbone {name!r}; there are: {existing}. "
            f"`manage.py embed_products --backbone {name}` adds one that this project knows."
        )


def _reason_to_skip(backbone: Backbone, catalogue: Catalogue) -> str | None:
    n_active = int(np.count_nonzero(catalogue.is_active))
    n_vectors = ProductVector.objects.filter(backbone=backbone, is_active=True).count()
    if n_vectors >= max(MIN_SHARE * n_active, 2):
        return None
    return f"{backbone.name} has vectors of {n_vectors:,} of {n_active:,} active products"


def _require_ranked_purchases(catalogue: Catalogue, compared: Sequence[Vectors]) -> None:
    for vectors in compared:
        if not len(catalogue.purchases_with_vector(vectors.has_vector).products):
            raise EvaluationError(
                f"No purchased product is on sale with a vector of {vectors.backbone.name}: "
                f"run `manage.py embed_products --backbone {vectors.backbone.name}` first."
            )


def _load(catalogue: Catalogue, backbone: Backbone) -> Vectors:
    return Vectors(backbone, *load_vectors(catalogue, backbone))


def _embed_whole_photos(backbone: Backbone, on_progress: Callable[[int, int], None]) -> None:
    """Embed the primary photos that have no current whole-photo embedding, batch by batch."""
    primary = ProductImage.objects.active().primary().values("pk")
    missing = Embedding.objects.images_without(backbone, MaskMethod.NONE).filter(pk__in=primary)
    ids = list(missing.values_list("pk", flat=True))
    for start in range(0, len(ids), PHOTOS_PER_BATCH):
        batch = ids[start : start + PHOTOS_PER_BATCH]
        embed_images(image_ids=batch, backbone=backbone, mask_method=MaskMethod.NONE)
        on_progress(start + len(batch), len(ids))
