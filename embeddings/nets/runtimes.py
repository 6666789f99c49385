"""What can run a backbone on this machine, fastest first. Loads torch only to build or to ask."""

import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from embeddings.nets.networks import Network

CUDA = "cuda"
OPENVINO_BF16 = "openvino-bf16"
OPENVINO_INT8 = "openvino-int8"  # needs photos to be calibrated on
OPENVINO_FP32 = "openvino-fp32"
TORCH_BF16 = "torch-bf16"
REFERENCE = "torch-fp32"  # what every other one is measured against; always there
RUNTIMES = (CUDA, OPENVINO_BF16, OPENVINO_INT8, OPENVINO_FP32, TORCH_BF16, REFERENCE)
BF16_FLAGS = {"avx512_bf16", "amx_bf16"}  # as /proc/cpuinfo names them
INT8_FLAGS = {"avx512_vnni", "avx_vnni", "amx_int8"}


class Features(Protocol):
    """A network that runs."""

    def features(self, crops: np.ndarray) -> np.ndarray:
        """(n, side, side, 3) uint8 -> (n, dimension) float32, not normalised."""


def available_runtimes(*, with_calibrated: bool = False) -> list[str]:
    """The runtimes of this machine, fastest first; `REFERENCE` is the last.

    `with_calibrated`: those too that take photos beside the network (`embeddings.eight_bits`).
    """
    import torch

    has_bf16 = processor_has_bf16()
    has_openvino = find_spec("openvino") is not None
    can_run = {
        CUDA: torch.cuda.is_available(),
        OPENVINO_BF16: has_openvino and has_bf16,
        OPENVINO_INT8: with_calibrated and has_openvino and _can_quantise(),
        OPENVINO_FP32: has_openvino,
        TORCH_BF16: has_bf16,
        REFERENCE: True,
    }
    return [name for name in RUNTIMES if can_run[name]]


def accelerated(network: "Network", runtime: str) -> Features:
    """The network on another runtime; `network` is on the CPU, in fp32, and stays as it is."""
    import torch

    from embeddings.nets.networks import Network

    if runtime == REFERENCE:
        return network
    if runtime in (OPENVINO_BF16, OPENVINO_FP32):
        from embeddings.nets.openvino_network import OpenVinoNetwork, as_model

        precision = "bf16" if runtime == OPENVINO_BF16 else "f32"
        model = as_model(network.module, network.spec.framing.side)
        return OpenVinoNetwork(model, precision=precision, n_threads=torch.get_num_threads())
    if runtime == TORCH_BF16:
        return Network(network.spec, network.module, device="cpu", dtype=torch.bfloat16)
    return Network(network.spec, network.module, device=runtime)


def processor_has_bf16() -> bool:
    """Whether the processor multiplies in bf16."""
    return bool(BF16_FLAGS & _processor_flags())


def _can_quantise() -> bool:
    return bool(INT8_FLAGS & _processor_flags()) and find_spec("nncf") is not None


def circumstances() -> str:
    """Whatever may change an embedding beside its weights: versions, and the processor."""
    packages = ("openvino", "nncf", "torch", "pillow")
    return ", ".join([*(f"{name} {_version(name)}" for name in packages), _processor()])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    lines = _cpuinfo()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return " ".join([name, *sorted(BF16_FLAGS & _processor_flags())])


def _processor_flags() -> set[str]:
    """What the processor can do; empty where the system does not say."""
    flags = next((line for line in _cpuinfo() if line.startswith("flags")), "")
    return set(flags.partition(":")[2].split())


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
