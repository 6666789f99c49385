"""A real network of 300 parameters with a publisher of its own, for tests of loading."""

import hashlib
import io
from dataclasses import dataclass, replace

import torch
from safetensors.torch import save
from torch import nn

from embeddings.nets.backbones import BackboneSpec


@dataclass(frozen=True)
class TinySpec(BackboneSpec):
    """Published under a name that ends in the hash of the weights that `published` made."""

    @property
    def url(self) -> str:
        return f"http://weights.invalid/{self.weights_file}"

    def build_classifier(self) -> nn.Module:
        trunk = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=4),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        return nn.ModuleDict({"trunk": trunk, "head": nn.Linear(16, 3)}).requires_grad_(False)

    def cut(self, classifier: nn.Module) -> nn.Module:
        return classifier["trunk"].eval()


TINY = TinySpec("tiny", 16, "head", "tiny-00000000.pth")


def tiny_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Seeded random parameters."""
    torch.manual_seed(seed)
    return TINY.build_classifier().state_dict()


def as_pth(state: object) -> bytes:
    """A file as torch.save writes it."""
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def as_safetensors(state: dict[str, torch.Tensor]) -> bytes:
    """A safetensors file."""
    return save({name: value.contiguous() for name, value in state.items()})


def published(content: bytes) -> TinySpec:
    """The spec whose file name carries the content's hash."""
    digest = hashlib.sha256(content).hexdigest()
    return replace(TINY, weights_file=f"tiny-{digest[:8]}.pth")
