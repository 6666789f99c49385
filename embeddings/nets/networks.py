"""Backbones with their weights: crops of photos in, the penultimate layer's activations out."""

import copy
import pickle
import re
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torch.fx.experimental.optimization import fuse

from embeddings.nets.backbones import BackboneSpec
from embeddings.nets.errors import WeightsRejected
from embeddings.nets.weights import WeightsSource, check_name_hash, file_sha256

MEAN = (0.485, 0.456, 0.406)
STANDARD_DEVIATION = (0.229, 0.224, 0.225)
# Larger activations leave the processor's caches: mobilenet_v2 ran 60 photos/s in eights and 46 in
# thirty-twos on two cores (unfused). A GPU takes what it is given.
PHOTOS_AT_ONCE_ON_CPU = 8
# DenseNet's published file predates a renaming of torchvision's modules.
OLD_DENSENET_KEY = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


class Network:
    """A backbone in torch on a device; on a CPU in fp32 it is the reference for all others.

    In another number format or on another device it has a copy of the module.
    """

    def __init__(
        self,
        spec: BackboneSpec,
        module: nn.Module,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.spec, self.device, self.dtype = spec, device, dtype
        if (device, dtype) != ("cpu", torch.float32):
            module = copy.deepcopy(module).to(device, dtype)
        self.module = module.to(memory_format=torch.channels_last)
        self._mean = torch.tensor(MEAN, device=self.device).mul(255).view(1, 3, 1, 1)
        self._deviation = (
            torch.tensor(STANDARD_DEVIATION, device=self.device).mul(255).view(1, 3, 1, 1)
        )

    @torch.inference_mode()
    def features(self, crops: np.ndarray) -> np.ndarray:
        """(n, side, side, 3) uint8 -> (n, dimension) float32, not normalised."""
        at_once = len(crops) if self.device == "cuda" else PHOTOS_AT_ONCE_ON_CPU
        parts = [
            self._features(torch.from_numpy(crops[start : start + at_once]))
            for start in range(0, len(crops), at_once)
        ]
        return torch.cat(parts).float().cpu().numpy()

    def _features(self, crops: torch.Tensor) -> torch.Tensor:
        images = crops.to(self.device).permute(0, 3, 1, 2)  # (n, 3, side, side), channels-last
        return self.module(((images.float() - self._mean) / self._deviation).to(self.dtype))


def load_network(spec: BackboneSpec, source: WeightsSource) -> tuple[Network, str]:
    """The backbone with its weights, and the SHA-256 of their file.

    Raises:
        WeightsUnavailable: there are none, or they were refused (`weights rejected: ...`).
    """
    path = source.obtain(spec)
    if path.name == spec.weights_file and spec.bundled_file is None:
        check_name_hash(path, path.name, path)
    return Network(spec, _load(spec, path)), file_sha256(path)


def _load(spec: BackboneSpec, path: Path) -> nn.Module:
    """The cut network, ready to run."""
    # Batch normalisation folded into the convolutions before it, the same function: mobilenet_v2
    # went from 44 to 72 photos/s on two cores.
    return fuse(spec.cut(load_classifier(spec, path)), inplace=True)


def load_classifier(spec: BackboneSpec, path: Path) -> nn.Module:
    """The whole network as torchvision builds it, with the file's parameters in fp32.

    Raises:
        WeightsRejected: unreadable, of other names or shapes, not finite, or a pickled object.
    """
    state = _read_state(path)
    with torch.device("meta"):  # neither filled with random numbers nor held twice: 550 MB of vgg16
        classifier = spec.build_classifier()
    state = {OLD_DENSENET_KEY.sub(r"\1\2", name): value for name, value in state.items()}
    for name, value in state.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise WeightsRejected(path, f"{name} holds values that are not finite")
    try:
        classifier.load_state_dict(_in_fp32(state), assign=True)
    except RuntimeError as error:
        raise WeightsRejected(path, error) from error
    return classifier


def _in_fp32(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name: value.float() if value.is_floating_point() else value for name, value in state.items()
    }


def _read_state(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise WeightsRejected(path, error) from error
    except (ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
        # What torch's unpickler raises for files that were cut off or are no checkpoint at all.
        raise WeightsRejected(path, f"no checkpoint: {error!r}") from error
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise WeightsRejected(path, "expected names and tensors (a state_dict)")
    return state
