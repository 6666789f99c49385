"""The garment parser on this machine: OpenVINO in fp32 where it is there, else torch.

Not in bf16, though it is faster: masks should not depend on the processor that found them.
"""

import threading
import warnings
from importlib.util import find_spec
from typing import Protocol

import cv2
import numpy as np
import torch

from embeddings.nets.garment_parser import STRIDE, GarmentParser

LONGER_SIDE = 224  # pixels at which photos are parsed: on validation better than training's 192
EMPTY = 127  # the grey of what lies outside the photo


class Probabilities(Protocol):
    """A parser that runs; any number of threads may call it."""

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        """(2, 3, h, w) float32 of 0 to 255 -> (2, n_classes, h, w) float32."""


class RunningParser:
    """Parses photos of any size."""

    def __init__(self, parser: GarmentParser) -> None:
        self._run = _openvino(parser) if find_spec("openvino") else _torch(parser)

    def probabilities(self, photo: np.ndarray) -> np.ndarray:
        """(height, width, 3) uint8 RGB -> (n_classes, h, w) float32, the longer side 224.

        The mean of the photo's and of its mirror image's.
        """
        height, width = photo.shape[:2]
        factor = LONGER_SIDE / max(height, width)
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        shrinks = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        small = cv2.resize(photo, size, interpolation=shrinks)
        padded = cv2.copyMakeBorder(
            small,
            *(0, -size[1] % STRIDE, 0, -size[0] % STRIDE),
            cv2.BORDER_CONSTANT,
            value=(EMPTY,) * 3,
        )
        pair = np.stack([padded, padded[:, ::-1]]).transpose(0, 3, 1, 2)  # (2, 3, h, w)
        logits = self._run(np.ascontiguousarray(pair, dtype=np.float32))
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        found = exponents / exponents.sum(axis=1, keepdims=True)
        return ((found[0] + found[1][..., ::-1]) / 2)[:, : size[1], : size[0]]


def _torch(parser: GarmentParser) -> Probabilities:
    module = parser.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(photos: np.ndarray) -> np.ndarray:
        return module(torch.from_numpy(photos)).numpy()

    return run


def _openvino(parser: GarmentParser) -> Probabilities:
    """Each thread has a request of its own, and the processor's cores are shared among them."""
    from openvino import Core
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit.trace, which OpenVINO reads
        example = torch.zeros(2, 3, LONGER_SIDE, LONGER_SIDE)
        traced = torch.jit.trace(parser, example, check_trace=False)
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # is read while this name holds it
        model = frontend.convert(frontend.load(decoder))
    model.reshape([2, 3, -1, -1])
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,
    }
    compiled, own = Core().compile_model(model, "CPU", options), threading.local()

    def run(photos: np.ndarray) -> np.ndarray:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        own.request.infer({0: photos})
        return own.request.get_output_tensor(0).data.copy()

    return run
