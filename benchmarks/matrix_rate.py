"""How fast this machine multiplies matrices: what no network can exceed, whatever runs it."""

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from embeddings.nets.backbones import BACKBONES

SIZE = 2048  # large enough for full speed, small enough for a second
REPETITIONS = 5


def matrix_gflops(dtype: torch.dtype = torch.bfloat16) -> float:
    """10^9 floating-point operations a second in products of square matrices, on all cores."""
    a, b = torch.randn(2, SIZE, SIZE).to(dtype)
    a @ b  # the first sets up
    started = time.perf_counter()
    for _ in range(REPETITIONS):
        a @ b
    return REPETITIONS * 2 * SIZE**3 / (time.perf_counter() - started) / 1e9


def gflops_per_image(backbone: str, side: int = 224) -> float:
    """10^9 floating-point operations of the classifier on one image of `side` x `side` pixels."""
    network = BACKBONES[backbone].build_classifier().eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, side, side))
    return counter.get_total_flops() / 1e9
