"""The mask settings of this installation, from Django's settings.

A photo's garment is found by the first of these that applies:

1. its segmentation map, always;
2. the SegFormer named by `FASHREC_SEGFORMER`;
3. the methods listed in `FASHREC_MASKS`, in the order given: `white_background` for packshots,
   the shipped `parser`, `grabcut`;
4. none: the whole photo.
"""

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from embeddings.garments.classes import Color, read_named_palette
from embeddings.garments.finding import SEGFORMER, FinderSettings, check_methods
from embeddings.garments.fingerprints import finders_fingerprint
from embeddings.masks import MaskSettings, read_palette

GARMENTS_VERSION = 1  # change it with anything that changes a single garment's picture


def current_mask_settings() -> MaskSettings:
    """How this installation reads segmentation maps.

    Raises:
        ValueError: FASHREC_SEGMENTATION_PALETTE names no palette file.
    """
    return _with_palette(settings.FASHREC_SEGMENTATION_PALETTE)


def finder_settings() -> FinderSettings:
    """How this installation finds garments in photos without a map.

    Raises:
        ValueError: FASHREC_MASKS lists what is no method, or `segformer` without FASHREC_SEGFORMER.
    """
    segformer = settings.FASHREC_SEGFORMER
    try:
        methods = check_methods(settings.FASHREC_MASKS)
    except ValueError as error:
        raise ValueError(f"FASHREC_MASKS: {error}") from error
    if SEGFORMER in methods and not segformer:
        raise ValueError("FASHREC_MASKS lists segformer: name its folder by FASHREC_SEGFORMER")
    if segformer and SEGFORMER not in methods:
        methods = (SEGFORMER, *methods)
    return FinderSettings(methods, segformer=segformer, tells_garments=settings.FASHREC_GARMENTS)


def method_finders(only: str | None) -> FinderSettings:
    """The finders of one method, or with None all in this installation's order.

    Raises:
        ValueError: as `finder_settings`, or the one is a SegFormer that is not named.
    """
    finders = finder_settings()
    if only == SEGFORMER and not finders.segformer:
        raise ValueError("no SegFormer is configured: name its folder by FASHREC_SEGFORMER")
    return finders if only is None else replace(finders, methods=(only,))


def garment_palette() -> dict[str, Color] | None:
    """The labels of the maps' colours, by which single garments are told apart in maps.

    None where they are not asked for, or no palette names the labels.

    Raises:
        ValueError: the palette cannot be read, or names a label whose class is not known.
    """
    palette = settings.FASHREC_SEGMENTATION_PALETTE
    return _named(palette) if settings.FASHREC_GARMENTS and palette else None


def map_mask_fingerprint() -> str:
    """What masks by maps depend on beside the map; without garments as it was before them."""
    own = current_mask_settings().fingerprint
    return own if garment_palette() is None else f"{own}+garments{GARMENTS_VERSION}"


def found_mask_fingerprint(only: str | None) -> str:
    """Sixteen hexadecimal digits that change with anything that changes a found mask."""
    content = f"{finders_fingerprint(method_finders(only))} {current_mask_settings().fill}"
    if settings.FASHREC_GARMENTS:
        content += f" garments {GARMENTS_VERSION}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@lru_cache(maxsize=8)
def _named(palette: Path) -> dict[str, Color]:
    return read_named_palette(palette)


@lru_cache(maxsize=8)
def _with_palette(path: Path | None) -> MaskSettings:
    return MaskSettings(palette=read_palette(path) if path else ())
