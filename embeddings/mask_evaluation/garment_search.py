"""Whether one vector per garment finds garments of its kind better than one for the whole body.

Each garment that a parse finds is a query, whatever its label. A hit is a photo whose garment in
the same slot has the same fine label in its map. All ways rank the same photos: those in which a
garment of the query's slot was found. So the slot alone, without any vector, already hits at the
rate of the label in the slot, which is the control.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from embeddings.garments.classes import Color, GarmentClass, class_table, map_labels
from embeddings.garments.regions import garment_regions, square_around
from embeddings.mask_evaluation.intervals import N_RESAMPLES, SEED
from embeddings.photo_sets import LabelledPhoto
from embeddings.photos import read_photo, read_segmentation_map

K = 5
WAYS = ("garment", "whole body", "whole body, boxed")
CONTROL = "slot alone"
WRONG = -1  # the label of a region whose pixels mostly are of another class

Encode = Callable[[Sequence[np.ndarray]], np.ndarray]  # photos -> (n, dimension) unit vectors
Parse = Callable[[LabelledPhoto, np.ndarray], np.ndarray]  # -> (height, width) uint8 classes


@dataclass(frozen=True)
class Garments:
    """Garments of all photos: whose they are, what they are, and their vectors by each way."""

    photo: np.ndarray  # (n,) position of the photo
    slot: np.ndarray  # (n,)
    label: np.ndarray  # (n,) position in the palette, or WRONG
    vectors: dict[str, np.ndarray]  # way -> (n, dimension)


def read_garments(
    photos: Sequence[LabelledPhoto],
    palette: dict[str, Color],
    parse: Parse,
    encode: Encode,
    on_photo: Callable[[int, int], None] | None = None,
) -> Garments:
    """All garments that `parse` finds in the photos."""
    found: list[tuple[int, int, int]] = []
    vectors: dict[str, list[np.ndarray]] = {way: [] for way in WAYS}
    classes_of = class_table(palette)
    for position, photo in enumerate(photos):
        pixels, labels = _read(photo, palette)
        classes = parse(photo, pixels)
        regions = list(garment_regions(classes))
        if regions:
            body = classes != GarmentClass.BACKGROUND
            pictures = [_alone(pixels, region.mask) for region in regions]
            encoded = encode([*pictures, _filled(pixels, body), _alone(pixels, body)])
            vectors["garment"] += list(encoded[:-2])
            vectors["whole body"] += [encoded[-2]] * len(regions)
            vectors["whole body, boxed"] += [encoded[-1]] * len(regions)
            found += [
                (position, region.slot, _label(labels[region.mask], region.slot, classes_of))
                for region in regions
            ]
        if on_photo:
            on_photo(position + 1, len(photos))
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    stacked = {way: np.stack(rows) for way, rows in vectors.items()}
    return Garments(columns[:, 0], columns[:, 1], columns[:, 2], stacked)


def compare_ways(garments: Garments, queries: np.ndarray, gallery: np.ndarray) -> dict[str, Any]:
    """Same-label precision@K of each way with 95% intervals over photos, and the differences.

    Args:
        queries, gallery: (n_photos,) bool, which photos ask and which are ranked.
    """
    hits: dict[str, list[float]] = {way: [] for way in (*WAYS, CONTROL)}
    asked: list[int] = []
    for slot in np.unique(garments.slot):
        members = np.flatnonzero(garments.slot == slot)
        photos, labels = garments.photo[members], garments.label[members]
        similarities = {
            way: vectors[members] @ vectors[members].T for way, vectors in garments.vectors.items()
        }
        for query in np.flatnonzero(queries[photos] & (labels != WRONG)):
            others = np.flatnonzero(gallery[photos] & (photos != photos[query]))
            if len(others) < K:
                continue
            is_hit = labels[others] == labels[query]
            asked.append(int(photos[query]))
            hits[CONTROL].append(float(is_hit.mean()))
            for way in WAYS:
                order = np.argsort(-similarities[way][query, others], kind="stable")
                hits[way].append(float(is_hit[order[:K]].mean()))
    rows = {way: np.array(values) for way, values in hits.items()}
    pairs = [("garment", other) for other in (*WAYS[1:], CONTROL)]
    differences = {f"{one} - {other}": rows[one] - rows[other] for one, other in pairs}
    return {
        "queries": len(asked),
        "photos": len(set(asked)),
        **{
            name: _clustered(values, np.array(asked))
            for name, values in (rows | differences).items()
        },
    }


def _clustered(values: np.ndarray, photos: np.ndarray) -> dict[str, Any]:
    """The mean over queries; the interval resamples photos, whose garments are alike."""
    _, cluster = np.unique(photos, return_inverse=True)
    sums, counts = np.bincount(cluster, values), np.bincount(cluster)
    interval = bootstrap(
        (sums, counts),
        lambda s, c, axis=-1: s.sum(axis=axis) / c.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=N_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    bounds = [round(float(bound), 4) for bound in interval]
    return {"mean": round(float(values.mean()), 4), "interval": bounds}


def _read(photo: LabelledPhoto, palette: dict[str, Color]) -> tuple[np.ndarray, np.ndarray]:
    with photo.path.open("rb") as file, photo.segmentation_map.open("rb") as map_file:
        return (
            np.asarray(read_photo(file)),
            map_labels(read_segmentation_map(map_file), palette),
        )


def _alone(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _filled(*square_around(photo, mask))


def _filled(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., None], photo, 0).astype(np.uint8)


def _label(labels: np.ndarray, slot: int, classes_of: np.ndarray) -> int:
    """The commonest label of a region's pixels, where it is of the region's slot."""
    commonest = int(np.bincount(labels).argmax())
    return commonest if classes_of[commonest] == slot else WRONG
