"""Encoders: what turns photos into vectors, whichever backbone it is."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from django.conf import settings

from embeddings import color_layout
from embeddings.masks import MaskSettings, fill_outside
from embeddings.nets.backbones import BACKBONES, BackboneSpec
from embeddings.nets.crops import CenterCrop, Framing
from embeddings.nets.errors import WeightsUnavailable
from embeddings.nets.finetuned import find_finetuned, finetuned_names
from embeddings.nets.weights import WeightsSource, file_sha256
from embeddings.photos import DecodedPhoto

if TYPE_CHECKING:
    from embeddings.nets.runtimes import Features

COLOR_LAYOUT = "color_layout"
# Shorter sides, in pixels, down to which photos may be decoded smaller for a crop of 224: with
# mobilenet_v2 on 96 masked street photos the worst cosine to full decoding was .9966 at 375, .9957
# at 360, .9945 at 320 and .9729 at 258.
DECODE_SIDE = 360
NETWORK_PREPROCESSING = {"statistics": "ImageNet", "layer": "penultimate"}


@dataclass(frozen=True)
class BackboneVersion:
    """What a backbone's vectors depend on; vectors of two versions are never compared."""

    name: str
    dimension: int
    weights_sha256: str
    preprocessing: dict[str, object]


class Encoder(Protocol):
    """A backbone that is ready to run."""

    version: BackboneVersion
    decode_side: int | None  # photos may be decoded smaller down to it; None: never

    def prepare(
        self, photo: DecodedPhoto, coverage: np.ndarray | None, mask: MaskSettings
    ) -> np.ndarray:
        """One photo's input, from any thread; `coverage` is of its pixels (`garment_coverage`)."""

    def encode(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Inputs -> (n, dimension) float32, not normalised."""


@dataclass(frozen=True)
class NetworkEncoder:
    """A network; masked pixels are filled before the photo is scaled and cropped."""

    network: "Features"
    version: BackboneVersion
    decode_side: int | None = None
    is_reference: bool = True  # to be cropped exactly as torchvision does it
    framing: Framing = field(default_factory=CenterCrop)

    def prepare(
        self, photo: DecodedPhoto, coverage: np.ndarray | None, mask: MaskSettings
    ) -> np.ndarray:
        """The framed piece of the masked photo: (side, side, 3) uint8."""
        image = photo.image
        if coverage is not None:
            image = fill_outside(image, coverage, mask.fill)
        if self.is_reference:
            return self.framing.crop(image)
        return self.framing.crop_decoded(image, photo.size, photo.reduction)

    def encode(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """(n, dimension) float32 activations of the penultimate layer."""
        return self.network.features(np.stack(prepared))


@dataclass(frozen=True)
class ColorLayoutEncoder:
    """The hand-made descriptor."""

    version: BackboneVersion
    decode_side: int | None = None

    def prepare(
        self, photo: DecodedPhoto, coverage: np.ndarray | None, mask: MaskSettings
    ) -> np.ndarray:
        """The descriptor itself, (dimension,) float32."""
        garment = None if coverage is None else coverage > 0
        return color_layout.describe_photo(photo.image, garment)

    def encode(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """(n, dimension) float32."""
        return np.stack(prepared)


def weights_source() -> WeightsSource:
    """Where this installation looks for weights."""
    return WeightsSource(
        cache_dir=settings.FASHREC_HOME / "weights", weights_dir=settings.FASHREC_WEIGHTS_DIR
    )


def local_version(name: str) -> BackboneVersion | None:
    """The version of a backbone that this machine's files would give, unread but for their hash.

    None where there is no file. Loads no network.

    Raises:
        ValueError: no such backbone.
    """
    if name == COLOR_LAYOUT:
        return _color_layout_version()
    path = weights_source().local_file(network_spec(name))
    return None if path is None else _network_version(name, file_sha256(path))


def load_encoder(name: str) -> Encoder:
    """The encoder of a backbone, loaded from its weights now.

    Raises:
        WeightsUnavailable: its weights are nowhere to be had, or were refused.
        ValueError: no such backbone.
    """
    if name == COLOR_LAYOUT:
        return ColorLayoutEncoder(_color_layout_version())
    spec = network_spec(name)
    # Read when torch is first imported. Its threads otherwise spin while they wait for each other:
    # beside other busy processes that made 30 photos/s of mobilenet_v2 into 7 on two cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from embeddings.nets.networks import load_network

    network, weights_sha256 = load_network(spec, weights_source())
    version = _network_version(name, weights_sha256)
    return NetworkEncoder(network, version, framing=spec.framing)


@lru_cache(maxsize=2)
def cached_encoder(name: str, weights_sha256: str) -> Encoder:
    """The reference encoder of a registered backbone, loaded once per process.

    Raises:
        WeightsUnavailable: no weights, or other ones than were registered.
        ValueError: no such backbone.
    """
    return registered_encoder(name, weights_sha256)


def registered_encoder(name: str, weights_sha256: str) -> Encoder:
    """The reference encoder of a registered backbone, loaded from its weights now.

    Raises:
        WeightsUnavailable: no weights, or other ones than were registered.
        ValueError: no such backbone.
    """
    encoder = load_encoder(name)
    found = encoder.version.weights_sha256
    if found != weights_sha256:
        raise WeightsUnavailable(
            f"the weights of {name} found here have SHA-256 {found[:12]}..., "
            f"registered are {weights_sha256[:12]}...: give this process the same weights, "
            f"or run manage.py embed_products --backbone {name} here to register its own"
        )
    return encoder


def weights_folders() -> list[Path]:
    """Where fine-tuned backbones lie, in the order in which they are looked for."""
    source = weights_source()
    return [folder for folder in (source.weights_dir, source.cache_dir) if folder is not None]


def is_network(name: str) -> bool:
    """Whether a backbone runs as a network, by several ways, and not as a descriptor."""
    return name in BACKBONES or find_finetuned(name, weights_folders()) is not None


def network_spec(name: str) -> BackboneSpec:
    """What a backbone that runs as a network is.

    Raises:
        ValueError: there is none of that name.
    """
    spec = BACKBONES.get(name) or find_finetuned(name, weights_folders())
    if spec is None:
        finetuned = finetuned_names(weights_folders())
        known = ", ".join([*BACKBONES, COLOR_LAYOUT, *finetuned])
        raise ValueError(f"unknown backbone {name!r}: expected one of {known}")
    return spec


def _network_version(name: str, weights_sha256: str) -> BackboneVersion:
    spec = network_spec(name)
    preprocessing = {**spec.framing.preprocessing, **NETWORK_PREPROCESSING}
    return BackboneVersion(name, spec.dimension, weights_sha256, preprocessing)


def _color_layout_version() -> BackboneVersion:
    """The descriptor's own version stands in for weights."""
    fingerprint = sha256(color_layout.VERSION.encode()).hexdigest()
    return BackboneVersion(COLOR_LAYOUT, color_layout.DIMENSION, fingerprint, {})


def unit_vectors(features: np.ndarray) -> list[np.ndarray | str]:
    """Each row at length one, or the reason why it has no direction."""
    lengths = np.linalg.norm(features.astype(np.float64), axis=1)
    return [
        (row / length).astype(np.float32)
        if np.isfinite(length) and length > 0
        else f"the backbone gave a vector of length {length}, expected a positive one"
        for row, length in zip(features, lengths, strict=True)
    ]
