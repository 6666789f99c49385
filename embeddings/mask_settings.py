"""The mask settings of this installation, from Django's settings."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from embeddings.masks import MaskSettings, read_palette


def current_mask_settings() -> MaskSettings:
    """How this installation reads segmentation maps.

    Raises:
        ValueError: FASHREC_SEGMENTATION_PALETTE names no palette file.
    """
    return _with_palette(settings.FASHREC_SEGMENTATION_PALETTE)


@lru_cache(maxsize=8)
def _with_palette(path: Path | None) -> MaskSettings:
    return MaskSettings(palette=read_palette(path) if path else ())
