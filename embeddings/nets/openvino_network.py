"""A backbone compiled by OpenVINO for this machine's processor."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from openvino import AsyncInferQueue, Core, InferRequest, Layout, Model, Type
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from openvino.preprocess import PrePostProcessor
from torch import nn

from embeddings.nets.networks import MEAN, STANDARD_DEVIATION

# Requests of four photos, one for each core: mobilenet_v2 in bf16 ran 485 photos/s in ones, 497 in
# fours and 475 in eights on two cores; vgg16 reads 240 MB of weights for each request.
PHOTOS_PER_REQUEST = 4


class OpenVinoNetwork:
    """A backbone in OpenVINO, a graph as `as_model` gives it, in `bf16` or `f32`."""

    def __init__(self, model: Model, *, precision: str, n_threads: int) -> None:
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": n_threads,
            # Two pinned worker processes share one core and leave the other idle.
            "ENABLE_CPU_PINNING": False,
        }
        compiled = Core().compile_model(model, "CPU", options)
        self._queue = AsyncInferQueue(compiled)
        self._queue.set_callback(_keep)
        self._dimension = compiled.output(0).shape[1]

    def features(self, crops: np.ndarray) -> np.ndarray:
        """(n, side, side, 3) uint8 -> (n, dimension) float32, not normalised."""
        found = np.empty((len(crops), self._dimension), np.float32)
        for start in range(0, len(crops), PHOTOS_PER_REQUEST):
            part = crops[start : start + PHOTOS_PER_REQUEST]
            n_missing = PHOTOS_PER_REQUEST - len(part)
            if n_missing:
                part = np.pad(part, ((0, n_missing), (0, 0), (0, 0), (0, 0)))
            self._queue.start_async({0: np.ascontiguousarray(part)}, (found, start))
        self._queue.wait_all()
        return found


def _keep(request: InferRequest, place: tuple[np.ndarray, int]) -> None:
    found, start = place
    rows = found[start : start + PHOTOS_PER_REQUEST]
    rows[:] = request.get_output_tensor(0).data[: len(rows)]


def as_model(module: nn.Module, side: int) -> Model:
    """OpenVINO's graph: (PHOTOS_PER_REQUEST, side, side, 3) uint8 -> (.., dimension).

    It normalises by ImageNet's statistics.
    """
    return _with_preprocessing(_converted(module, side))


def _converted(module: nn.Module, side: int) -> Model:
    """The module for (n, 3, side, side) float32.

    By the frontend itself: `openvino.convert_model` does the same and reports its use to its maker.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch.jit.trace, which OpenVINO reads
        example = torch.zeros(1, 3, side, side)
        traced = torch.jit.trace(module, example, check_trace=False)
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # is read while this name holds it
        model = frontend.convert(frontend.load(decoder))
    model.reshape([PHOTOS_PER_REQUEST, 3, side, side])
    return model


def _with_preprocessing(model: Model) -> Model:
    """Takes (n, side, side, 3) uint8 and normalises by ImageNet's statistics."""
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    steps.input().model().set_layout(Layout("NCHW"))
    normalise = steps.input().preprocess().convert_element_type(Type.f32)
    normalise.mean(_of_255(MEAN)).scale(_of_255(STANDARD_DEVIATION))
    return steps.build()


def _of_255(values: Sequence[float]) -> list[float]:
    return [255 * value for value in values]
