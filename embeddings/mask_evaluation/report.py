"""All methods' results as plain values, and as lines of a table."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from embeddings.garments.classes import GarmentClass
from embeddings.mask_evaluation.intervals import mean_with_interval
from embeddings.mask_evaluation.measuring import MethodResult


def as_values(results: Sequence[MethodResult]) -> dict[str, Any]:
    """Per method its figures, and by how much it beats each other method, photo by photo."""
    return {result.method: _method_values(result) for result in results} | {
        "differences": {
            f"{one.method} - {other.method}": mean_with_interval(one.ious - other.ious)
            for position, one in enumerate(results)
            for other in results[position + 1 :]
        }
    }


def table(results: Sequence[MethodResult]) -> Iterator[str]:
    """The results for a terminal."""
    heads = f"{'method':<18}{'garment IoU':>12}  {'95% interval':<16}{'classes':>8}"
    yield f"{heads}{'images/s':>10}{'core-ms':>9}"
    for result in results:
        values = _method_values(result)
        low, high = values["garment_iou"]["interval"] or (values["garment_iou"]["mean"],) * 2
        classes = values["class_mean_iou"]
        shown = "" if classes is None else f"{classes:.3f}"
        yield (
            f"{result.method:<18}{values['garment_iou']['mean']:>12.3f}  "
            f"{f'{low:.3f} to {high:.3f}':<16}{shown:>8}{result.images_per_second:>10.1f}"
            f"{result.core_ms_per_image:>9.1f}"
        )


def _method_values(result: MethodResult) -> dict[str, Any]:
    found = result.class_ious
    return {
        "garment_iou": mean_with_interval(result.ious),
        "photos_found": result.n_found,
        "class_mean_iou": None if found is None else round(float(np.nanmean(found)), 4),
        "class_iou": None if found is None else _by_class(found),
        "images_per_second": round(result.images_per_second, 1),
        "core_ms_per_image": round(result.core_ms_per_image, 2),
    }


def _by_class(found: np.ndarray) -> dict[str, float | None]:
    return {
        name.lower(): None if np.isnan(value) else round(float(value), 4)
        for name, value in zip(GarmentClass.__members__, found, strict=True)
    }
