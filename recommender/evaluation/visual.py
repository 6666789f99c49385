"""Do products that look alike share a category? Pure visual neighbours, masked and unmasked."""

from typing import Any

import numpy as np

from embeddings.models import Backbone, MaskMethod
from recommender.evaluation.bootstrap import figure, mean_estimates
from recommender.evaluation.catalogue import Catalogue
from recommender.evaluation.experiment import Vectors
from recommender.evaluation.metrics import same_category_chance_percent, same_category_precision

PRECISION = "same_category_precision"


def visual_rows(
    catalogue: Catalogue, served: Vectors, unmasked: Vectors | None, *, k: int, seed: int
) -> list[dict[str, Any]]:
    """Same-category precision@k over the primary photos of all active products.

    Masked and unmasked are measured on the same photos, and their difference, photo by photo,
    stands in the masked row. With `unmasked` None (no maps, or no such vectors) there is one row.
    """
    compared = catalogue.is_active & served.has_vector
    if unmasked is None:
        method = MaskMethod.SEGMENTATION_MAP if catalogue.has_segmentation_maps else MaskMethod.NONE
        precision = _precision(catalogue, served, compared, k)
        return [_row(catalogue, served.backbone, method, compared, {PRECISION: precision}, seed)]
    compared &= unmasked.has_vector
    with_maps = _precision(catalogue, served, compared, k)
    without = _precision(catalogue, unmasked, compared, k)
    masked_values = {PRECISION: with_maps, "gain_over_whole_photo": with_maps - without}
    rows = ((MaskMethod.SEGMENTATION_MAP, masked_values), (MaskMethod.NONE, {PRECISION: without}))
    return [
        _row(catalogue, served.backbone, method, compared, values, seed) for method, values in rows
    ]


def _precision(catalogue: Catalogue, vectors: Vectors, compared: np.ndarray, k: int) -> np.ndarray:
    return same_category_precision(vectors.vectors[compared], catalogue.categories[compared], k)


def _row(
    catalogue: Catalogue,
    backbone: Backbone,
    method: MaskMethod,
    compared: np.ndarray,
    values: dict[str, np.ndarray],
    seed: int,
) -> dict[str, Any]:
    """One row of `visual`; each photo is a cluster of its own."""
    row: dict[str, Any] = {"backbone": backbone.name, "masks": method.label}
    photos = np.flatnonzero(compared)
    for name, estimate in mean_estimates(values, photos, seed=seed).items():
        row |= figure(name, estimate)
    chance = same_category_chance_percent(catalogue.categories[compared])
    return row | {"n_photos": len(photos), "chance": round(chance, 4)}
