"""A backbone in eight bits by OpenVINO and NNCF, judged as every faster runtime is."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch

from embeddings.encoders import network_spec, weights_source
from embeddings.nets.fidelity import compare
from embeddings.nets.networks import Network, load_network
from embeddings.nets.openvino_network import PHOTOS_PER_REQUEST, OpenVinoNetwork, as_model
from embeddings.photo_sets import LabelledPhoto, read_photo_set
from embeddings.photos import read_photo

LEFT_ALONE = 3  # convolutions at the network's beginning, where eight bits lose most
WARM_PHOTOS = 2 * PHOTOS_PER_REQUEST
Run = Callable[[np.ndarray], np.ndarray]


def run(name: str, folder: Path, *, n_calibrate: int, n_check: int, seed: int) -> dict[str, Any]:
    """Fidelity and speed of int8 and bf16 against torch in fp32."""
    if find_spec("nncf") is None:
        raise SystemExit("NNCF is missing: pip install -r benchmarks/requirements-int8.txt")
    photos = read_photo_set(folder)
    drawn = np.random.default_rng(seed).permutation(len(photos))[: n_calibrate + n_check]
    calibrating, checked = np.split(drawn, [n_calibrate])
    network, _ = load_network(network_spec(name), weights_source())
    crops = _crops(network, [photos[i] for i in calibrating])
    started = time.perf_counter()
    int8 = _quantised(network, crops)
    seconds = time.perf_counter() - started
    bf16 = OpenVinoNetwork(
        network.module, precision="bf16", n_threads=torch.get_num_threads(), side=_side(network)
    )
    crops = _crops(network, [photos[i] for i in checked])
    labels = [photos[i].labels.get("category", "") for i in checked]
    reference = _in_parts(network.features, crops)
    ways: dict[str, Run] = {"openvino-int8": int8, "openvino-bf16": bf16.features}
    figures = {way: _judged(run_way, crops, reference, labels) for way, run_way in ways.items()}
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
    run_way: Run, crops: np.ndarray, reference: np.ndarray, labels: list[str]
) -> dict[str, Any]:
    run_way(crops[:WARM_PHOTOS])
    started = time.perf_counter()
    found = run_way(crops)
    seconds = time.perf_counter() - started
    categories = np.unique(labels, return_inverse=True)[1]
    fidelity = compare(found, reference, categories)
    values = {key: round(value, 5) for key, value in asdict(fidelity).items()}
    return values | {
        "refusal": fidelity.refusal or "none: it is admitted",
        "images_per_second": round(len(crops) / seconds, 1),
    }


def _quantised(network: Network, crops: np.ndarray) -> Run:
    """(n, side, side, 3) uint8 -> (n, dimension), in eight bits."""
    os.environ.setdefault("CI", "true")  # NNCF then reports its use to nobody
    import nncf

    side = _side(network)
    model = as_model(network.module, side)
    model.reshape([1, side, side, 3])
    layers = [node for node in model.get_ordered_ops() if "Convolution" in node.get_type_name()]
    names = [node.get_friendly_name() for node in layers[:LEFT_ALONE]]
    small = nncf.quantize(
        model,
        nncf.Dataset([crop[None] for crop in crops]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(crops),
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(names=names),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix.DISABLE  # for processors without VNNI
        ),
    )
    small.reshape([PHOTOS_PER_REQUEST, side, side, 3])
    compiled = openvino.Core().compile_model(
        small,
        "CPU",
        {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,
        },
    )
    return lambda photos: _in_parts(lambda part: compiled({0: part})[0], photos)


def _in_parts(features: Run, crops: np.ndarray) -> np.ndarray:
    """A request's photos at a time; the last part is filled up with its last photo."""
    parts = []
    for start in range(0, len(crops), PHOTOS_PER_REQUEST):
        part = crops[start : start + PHOTOS_PER_REQUEST]
        n_missing = PHOTOS_PER_REQUEST - len(part)
        padded = np.concatenate([part, np.repeat(part[-1:], n_missing, axis=0)])
        parts.append(np.array(features(padded)[: len(part)]))
    return np.concatenate(parts)


def _crops(network: Network, photos: list[LabelledPhoto]) -> np.ndarray:
    found = []
    for photo in photos:
        with photo.path.open("rb") as file:
            found.append(network.spec.framing.crop(read_photo(file)))
    return np.stack(found)


def _side(network: Network) -> int:
    return network.spec.framing.side
