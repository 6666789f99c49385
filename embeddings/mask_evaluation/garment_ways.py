"""The garment search measured with the maps' parse and with the shipped parser's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from embeddings.garments.classes import Color, map_classes
from embeddings.garments.finding import PARSER, FinderSettings, find_garments
from embeddings.mask_evaluation.garment_search import Encode, compare_ways, read_garments
from embeddings.photo_sets import LabelledPhoto, split_of
from embeddings.photos import read_segmentation_map

OnPhoto = Callable[[str, int, int], None]


def measure_garments(
    photos: Sequence[LabelledPhoto],
    palette: dict[str, Color],
    encode: Encode,
    finders: FinderSettings,
    on_photo: OnPhoto | None = None,
) -> dict[str, Any]:
    """By whose parse -> by which questions -> figures (`compare_ways`).

    The parser learned from the training part, so that its questions come from the test part; maps
    were learned by nobody here, so that all photos may ask as well.
    """

    def by_map(photo: LabelledPhoto, pixels: np.ndarray) -> np.ndarray:
        with photo.segmentation_map.open("rb") as file:
            return map_classes(read_segmentation_map(file), palette)

    def by_parser(photo: LabelledPhoto, pixels: np.ndarray) -> np.ndarray:
        found = find_garments(pixels, replace(finders, methods=(PARSER,)))
        return np.zeros(pixels.shape[:2], np.uint8) if found is None else found.classes

    everything = np.ones(len(photos), bool)
    is_test = np.array([split_of(photo.group) == "test" for photo in photos])
    questions = {"test part among all": (is_test, everything), "test part": (is_test, is_test)}
    found = {}
    for name, parse in (("maps", by_map), ("parser", by_parser)):
        own = {"all": (everything, everything)} if name == "maps" else {}

        def tell(done: int, total: int, name: str = name) -> None:
            if on_photo:
                on_photo(f"garments by {name}", done, total)

        garments = read_garments(photos, palette, parse, encode, tell)
        found[name] = {
            which: compare_ways(garments, *masks) for which, masks in (own | questions).items()
        }
    return found


def garment_table(found: dict[str, Any]) -> Iterator[str]:
    """The figures for a terminal."""
    for parse, questions in found.items():
        for which, figures in questions.items():
            yield f"garments by {parse}, {which}: {figures['queries']:,} queries"
            for name, values in figures.items():
                if isinstance(values, dict):
                    low, high = values["interval"]
                    yield f"  {name:<32}{values['mean']:>8.3f}  {low:.3f} to {high:.3f}"
