"""Finding the garments in a photo that has no segmentation map, by one method after the other."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from embeddings.garments.classes import GarmentClass
from embeddings.garments.grabcut import cut_center
from embeddings.garments.refining import refined
from embeddings.garments.white_background import remove_white

SEGFORMER, PARSER, WHITE_BACKGROUND, GRABCUT = "segformer", "parser", "white_background", "grabcut"
FINDERS = (SEGFORMER, WHITE_BACKGROUND, PARSER, GRABCUT)
VERSION = 2  # change it with anything in these methods that changes a mask
WEIGHTS = Path(__file__).parent.parent / "weights" / "garment_parser.safetensors"
MIN_PARSED = 0.01  # of the photo; where a network finds less, it found nothing


# Two threads that import transformers at once find it half made.
_loading = threading.Lock()


@dataclass(frozen=True)
class FinderSettings:
    """Which methods are tried, in this order, and what the networks are loaded from."""

    methods: tuple[str, ...] = ()
    parser: Path = WEIGHTS
    segformer: str = ""
    tells_garments: bool = False  # single garments are wanted of a parse


@dataclass(frozen=True)
class FoundGarments:
    """What a method found: `mask` is (height, width) bool, `classes` (height, width) uint8.

    `classes` (of `GarmentClass`) is None where the method does not tell garments apart.
    """

    method: str
    mask: np.ndarray
    classes: np.ndarray | None = None


def find_garments(photo: np.ndarray, settings: FinderSettings) -> FoundGarments | None:
    """What the first method finds that finds anything; None where none does.

    Args:
        photo: (height, width, 3) uint8 RGB.

    Raises:
        WeightsUnavailable: a network that is asked for cannot be loaded.
    """
    for method in settings.methods:
        found = _FINDERS[method](photo, settings)
        if found is not None:
            return found
    return None


def _by_segformer(photo: np.ndarray, settings: FinderSettings) -> FoundGarments | None:
    probabilities = segformer(settings.segformer).probabilities(photo)
    return _parsed(SEGFORMER, parsed_classes(photo, probabilities))


def _by_parser(photo: np.ndarray, settings: FinderSettings) -> FoundGarments | None:
    probabilities = running_parser(settings.parser).probabilities(photo)
    return _parsed(PARSER, parsed_classes(photo, probabilities, refined))


def _by_white_background(photo: np.ndarray, _: FinderSettings) -> FoundGarments | None:
    mask = remove_white(photo)
    return None if mask is None else FoundGarments(WHITE_BACKGROUND, mask)


def _by_grabcut(photo: np.ndarray, _: FinderSettings) -> FoundGarments | None:
    mask = cut_center(photo)
    return None if mask is None else FoundGarments(GRABCUT, mask)


_FINDERS: dict[str, Callable[[np.ndarray, FinderSettings], FoundGarments | None]] = {
    SEGFORMER: _by_segformer,
    PARSER: _by_parser,
    WHITE_BACKGROUND: _by_white_background,
    GRABCUT: _by_grabcut,
}


def _parsed(method: str, classes: np.ndarray) -> FoundGarments | None:
    mask = classes != GarmentClass.BACKGROUND
    return FoundGarments(method, mask, classes) if mask.mean() >= MIN_PARSED else None


def less_likely_backdrop(_: np.ndarray, backdrop: np.ndarray) -> np.ndarray:
    """Which pixels show garments: (height, width) bool, whichever garment it is."""
    return backdrop < 0.5


def parsed_classes(
    photo: np.ndarray,
    probabilities: np.ndarray,
    outline: Callable[[np.ndarray, np.ndarray], np.ndarray] = less_likely_backdrop,
) -> np.ndarray:
    """The class of each pixel of a photo, (height, width) uint8, from a parse of fewer pixels.

    Args:
        photo: (height, width, 3) uint8 RGB.
        probabilities: (N_CLASSES, h, w) float32.
        outline: which pixels show garments, from the photo and how likely each shows backdrop.
    """
    size = photo.shape[1::-1]
    resized = [cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in probabilities]
    likeliest = np.argmax(np.stack(resized[1:]), axis=0).astype(np.uint8) + 1
    return np.where(outline(photo, resized[GarmentClass.BACKGROUND]), likeliest, np.uint8(0))


def running_parser(path: Path) -> "RunningParser":  # noqa: F821 - loads torch
    """The parser, loaded once per process, whichever thread asks first.

    Raises:
        WeightsRejected: the file is not what it says it is.
    """
    with _loading:
        return _load_parser(path)


def segformer(source: str) -> "Segformer":  # noqa: F821 - loads torch
    """The SegFormer, loaded once per process, whichever thread asks first.

    Raises:
        SegformerUnavailable: it cannot be had.
    """
    with _loading:
        return _load_segformer(source)


@lru_cache(maxsize=2)
def _load_parser(path: Path) -> "RunningParser":  # noqa: F821 - loads torch
    from embeddings.nets.garment_parser import load_parser
    from embeddings.nets.parser_runtime import RunningParser

    return RunningParser(load_parser(path))


@lru_cache(maxsize=1)
def _load_segformer(source: str) -> "Segformer":  # noqa: F821 - loads torch
    from embeddings.garments.segformer import Segformer

    return Segformer(source)


def check_methods(methods: Sequence[str]) -> tuple[str, ...]:
    """The methods as a tuple.

    Raises:
        ValueError: one of them is none.
    """
    unknown = sorted(set(methods) - set(FINDERS))
    if unknown:
        raise ValueError(f"expected any of {', '.join(FINDERS)}, got {', '.join(unknown)}")
    return tuple(methods)
