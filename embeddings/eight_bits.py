"""Backbones in eight bits: calibrated on the catalogue's photos, kept in FASHREC_HOME."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

from embeddings.encoders import BackboneVersion, NetworkEncoder
from embeddings.fidelity_sample import SAMPLE_SIZE, prepare_all, sample_photos
from embeddings.models import Backbone
from embeddings.nets.runtimes import circumstances

if TYPE_CHECKING:
    from embeddings.nets.openvino_network import OpenVinoNetwork

N_CALIBRATING = 300
LEAST_CALIBRATING = 64  # fewer say little about what values occur


def int8_file(version: BackboneVersion | Backbone) -> Path:
    """Where a backbone's values in eight bits lie, of these weights and this machine's versions."""
    key = sha256(f"{version.weights_sha256} {circumstances()}".encode()).hexdigest()[:16]
    return settings.FASHREC_HOME / "weights" / "int8" / f"{version.name}-{key}.xml"


def calibrate(backbone: Backbone, reference: NetworkEncoder) -> None:
    """Write `int8_file`, unless it is there.

    By photos of the catalogue that are not among those that its fidelity is measured on.

    Raises:
        ValueError: too few of them can be read.
    """
    file = int8_file(reference.version)
    if file.is_file():
        return
    photos = sample_photos(backbone, SAMPLE_SIZE + N_CALIBRATING)[SAMPLE_SIZE:]
    _, inputs = prepare_all(photos, reference)
    if len(inputs) < LEAST_CALIBRATING:
        raise ValueError(f"{len(inputs)} photos to calibrate on, expected {LEAST_CALIBRATING}")
    from embeddings.nets.int8 import quantise

    quantise(reference.network.module, np.stack(inputs), file)


def int8_network(reference: NetworkEncoder) -> "OpenVinoNetwork":
    """The calibrated network.

    Raises:
        RuntimeError: it was not calibrated in this FASHREC_HOME.
    """
    import torch

    from embeddings.nets.int8 import load_quantised

    return load_quantised(int8_file(reference.version), n_threads=torch.get_num_threads())
