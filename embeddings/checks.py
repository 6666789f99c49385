"""System checks of the settings that embeddings read."""

from importlib.util import find_spec

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from embeddings.garments.finding import SEGFORMER
from embeddings.mask_settings import current_mask_settings, finder_settings
from embeddings.nets.runtimes import RUNTIMES

TAG = "embeddings"


@register(TAG)
def check_segmentation_palette(
    app_configs: list[AppConfig] | None, **_: object
) -> list[CheckMessage]:
    """The palette file is one."""
    try:
        current_mask_settings()
    except ValueError as error:
        hint = "Correct FASHREC_SEGMENTATION_PALETTE, or unset it to read maps without a palette."
        return [Error(str(error), hint=hint, id="embeddings.E001")]
    return []


@register(TAG)
def check_weights_folder(app_configs: list[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """FASHREC_WEIGHTS_DIR is a folder."""
    folder = settings.FASHREC_WEIGHTS_DIR
    if folder is None or folder.is_dir():
        return []
    hint = "Correct FASHREC_WEIGHTS_DIR, or unset it to download weights."
    return [Warning(f"{folder} is no folder", hint=hint, id="embeddings.W001")]


@register(TAG)
def check_runtime(app_configs: list[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """FASHREC_EMBEDDING_RUNTIME is one."""
    runtime = settings.FASHREC_EMBEDDING_RUNTIME
    if runtime in ("", *RUNTIMES):
        return []
    hint = f"Set it to one of {', '.join(RUNTIMES)}, or unset it for the fastest faithful one."
    message = f"FASHREC_EMBEDDING_RUNTIME is {runtime!r}"
    return [Error(message, hint=hint, id="embeddings.E002")]


@register(TAG)
def check_masks(app_configs: list[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """FASHREC_MASKS lists methods, and what they need is here."""
    try:
        methods = finder_settings().methods
    except ValueError as error:
        return [Error(str(error), hint="Correct it, or unset it.", id="embeddings.E003")]
    if SEGFORMER in methods and find_spec("transformers") is None:
        message = "FASHREC_SEGFORMER needs transformers, which is not installed"
        hint = "Install the extra 'segformer' (pip install transformers), or unset it."
        return [Error(message, hint=hint, id="embeddings.E004")]
    return []
