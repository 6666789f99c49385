"""The garment parser: a small U-Net that says what each pixel of a photo shows.

Source: Ronneberger, Fischer and Brox, U-Net, MICCAI 2015, with strided convolutions and nearest
neighbours instead of pooling and transposed convolutions, half the input's resolution at its
finest, and MobileNetV3's squeeze-and-excitation (Howard et al., 2019) at its coarsest, which sees
the whole photo.
"""

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import interpolate
from torchvision.ops.misc import Conv2dNormActivation, SqueezeExcitation

from embeddings.nets.errors import WeightsRejected

CHANNELS = (16, 32, 64, 128, 192)  # at 1/2, 1/4, ... 1/32 of the input; 1.4 M parameters
STRIDE = 32  # sides must be multiples of it
LARGEST_FILE = 5_000_000  # bytes


class GarmentParser(nn.Module):
    """(n, 3, h, w) values of 0 to 255 -> (n, n_classes, h, w) logits."""

    def __init__(self, n_classes: int, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.n_classes, self.channels = n_classes, channels
        steps = list(pairwise(channels))
        self.stem = Conv2dNormActivation(3, channels[0], stride=2)
        self.down = nn.ModuleList(
            nn.Sequential(Conv2dNormActivation(a, b, stride=2), Conv2dNormActivation(b, b))
            for a, b in steps
        )
        self.context = SqueezeExcitation(channels[-1], channels[-1] // 4)
        self.up = nn.ModuleList(Conv2dNormActivation(a + b, a) for a, b in reversed(steps))
        self.head = nn.Conv2d(channels[0], n_classes, 1)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Logits at the input's resolution."""
        values = self.stem(photos / 127.5 - 1)
        levels = []
        for stage in self.down:
            levels.append(values)
            values = stage(values)
        values = self.context(values)
        for stage, level in zip(self.up, reversed(levels), strict=True):
            larger = interpolate(values, scale_factor=2.0, mode="nearest")
            values = stage(torch.cat([larger, level], dim=1))
        return interpolate(self.head(values), scale_factor=2.0, mode="bilinear")


def save_parser(parser: GarmentParser, path: Path, recipe: dict[str, object]) -> str:
    """Write the parser in fp16 and its recipe as JSON beside it; the SHA-256 of the former.

    Raises:
        ValueError: it is larger than what may be shipped.
    """
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in parser.state_dict().items()
    }
    partial = path.with_suffix(".part")
    save_file(state, partial)
    if partial.stat().st_size > LARGEST_FILE:
        partial.unlink()
        raise ValueError(f"the parser takes more than {LARGEST_FILE:,} bytes")
    digest = parser_sha256(partial)
    network = {"n_classes": parser.n_classes, "channels": list(parser.channels)}
    described = {"network": network, "sha256": digest, **recipe}
    path.with_suffix(".json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
    return digest


def load_parser(path: Path) -> GarmentParser:
    """The parser of a file that `save_parser` wrote, ready to run in fp32.

    Raises:
        WeightsRejected: it cannot be read, is not what its JSON says, or is not finite.
    """
    try:
        described = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        expected, network = described["sha256"], described["network"]
        state = load_file(path)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise WeightsRejected(path, error) from error
    if (digest := parser_sha256(path)) != expected:
        raise WeightsRejected(path, f"it has SHA-256 {digest[:16]}..., expected {expected[:16]}...")
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise WeightsRejected(path, "it holds values that are not finite")
    parser = GarmentParser(network["n_classes"], tuple(network["channels"]))
    try:
        parser.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsRejected(path, error) from error
    return parser.eval().requires_grad_(False)


def parser_sha256(path: Path) -> str:
    """The SHA-256 of the file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
