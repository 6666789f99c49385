"""A backbone in eight bits by OpenVINO and NNCF, judged as every faster runtime is."""

import time
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from embeddings.encoders import network_spec, weights_source
from embeddings.nets.fidelity import compare
from embeddings.nets.int8 import load_quantised, quantise
from embeddings.nets.networks import Network, load_network
from embeddings.nets.openvino_network import PHOTOS_PER_REQUEST
from embeddings.nets.runtimes import OPENVINO_BF16, OPENVINO_INT8, Features, accelerated
from embeddings.photo_sets import LabelledPhoto, read_photo_set
from embeddings.photos import read_photo

WARM_PHOTOS = 2 * PHOTOS_PER_REQUEST


def run(name: str, folder: Path, *, n_calibrate: int, n_check: int, seed: int) -> dict[str, Any]:
    """Fidelity and speed of int8 and bf16 against torch in fp32."""
    if find_spec("nncf") is None:
        raise SystemExit("NNCF is missing: pip install nncf")
    photos = read_photo_set(folder)
    drawn = np.random.default_rng(seed).permutation(len(photos))[: n_calibrate + n_check]
    calibrating, checked = np.split(drawn, [n_calibrate])
    network, _ = load_network(network_spec(name), weights_source())
    crops = _crops(network, [photos[i] for i in calibrating])
    started = time.perf_counter()
    with TemporaryDirectory() as kept:
        file = Path(kept) / f"{name}.xml"
        quantise(network.module, crops, file)
        int8 = load_quantised(file, n_threads=torch.get_num_threads())
    seconds = time.perf_counter() - started
    bf16 = accelerated(network, OPENVINO_BF16)
    crops = _crops(network, [photos[i] for i in checked])
    labels = [photos[i].labels.get("category", "") for i in checked]
    reference = network.features(crops)
    ways: dict[str, Features] = {OPENVINO_INT8: int8, OPENVINO_BF16: bf16}
    figures = {way: _judged(fast, crops, reference, labels) for way, fast in ways.items()}
    speeds = [figures[way]["images_per_second"] for way in ways]
    return {
        "data": f"{len(checked)} photos of {folder.name}, {len(calibrating)} others to calibrate",
        "settings": {
            "backbone": name,
            "seed": seed,
            "threads": torch.get_num_threads(),
            "openvino": version("openvino"),
            "nncf": version("nncf"),
        },
        "seconds_to_quantise": round(seconds, 1),
        **figures,
        "ratio_to_bf16": round(speeds[0] / speeds[1], 2),
    }


def _judged(
    fast: Features, crops: np.ndarray, reference: np.ndarray, labels: list[str]
) -> dict[str, Any]:
    fast.features(crops[:WARM_PHOTOS])
    started = time.perf_counter()
    found = fast.features(crops)
    seconds = time.perf_counter() - started
    categories = np.unique(labels, return_inverse=True)[1]
    fidelity = compare(found, reference, categories)
    values = {key: round(value, 5) for key, value in asdict(fidelity).items()}
    return values | {
        "refusal": fidelity.refusal or "none: it is admitted",
        "images_per_second": round(len(crops) / seconds, 1),
    }


def _crops(network: Network, photos: list[LabelledPhoto]) -> np.ndarray:
    found = []
    for photo in photos:
        with photo.path.open("rb") as file:
            found.append(network.spec.framing.crop(read_photo(file)))
    return np.stack(found)
