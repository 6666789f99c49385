"""Two photo sets of drawings whose labels can be seen: bright or dark, and a patch's colour."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision.models import mobilenet_v2

from embeddings.nets.backbones import BackboneSpec
from embeddings.photo_sets import LabelledPhoto
from embeddings.training.finetuning.finetune import FinetuneSettings, Places, finetune
from embeddings.training.loop import LoopSettings

COLORS = {"Red": (220, 30, 30), "Blue": (30, 30, 220)}
SETTINGS = FinetuneSettings("mobilenet_v2", ("category", "color"), side=32, n_views=2)
LOOP = LoopSettings(
    n_epochs=2,
    batch_size=16,
    learning_rate=1e-3,
    device="cpu",
    checkpoint_seconds=0.0,
    is_mixed=False,
)


@dataclass(frozen=True)
class NarrowSpec(BackboneSpec):
    """MobileNetV2 with a quarter of its channels, but for the last ones."""

    def build_classifier(self) -> nn.Module:
        return mobilenet_v2(weights=None, width_mult=0.25)


NARROW = NarrowSpec("mobilenet_v2", 1280, "classifier", "none")


def drawings(folder: Path, n_photos: int, with_colors: bool = True) -> list[LabelledPhoto]:
    """Each a group of its own."""
    folder.mkdir(parents=True)
    photos = []
    for number in range(n_photos):
        category, color = ("Light", "Dark")[number % 2], list(COLORS)[number // 2 % 2]
        pixels = np.full((24, 18, 3), 240 if category == "Light" else 20, np.uint8)
        pixels[6:18, 5:13] = COLORS[color]
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        labels = {"category": category} | ({"color": color} if with_colors else {})
        photos.append(LabelledPhoto(path, str(number), f"{folder.name} {number}", labels))
    return photos


def two_sets(folder: Path) -> dict[str, list[LabelledPhoto]]:
    """A catalogue with colours, and phone photos without."""
    return {
        "shop": drawings(folder / "shop", 32),
        "phone": drawings(folder / "phone", 16, with_colors=False),
    }


def random_classifier() -> nn.Module:
    """The narrow network with seeded random parameters."""
    torch.manual_seed(7)
    return NARROW.build_classifier()


def run(
    sets: dict[str, list[LabelledPhoto]],
    folder: Path,
    settings: FinetuneSettings = SETTINGS,
    on_step: Callable[[str, int, int], None] | None = None,
) -> dict[str, object]:
    """Fine-tune into `folder`."""
    return finetune(
        sets,
        random_classifier,
        settings,
        LOOP,
        places=Places(folder / "mine.safetensors", folder / "cache"),
        weights_sha256="random",
        about={"code_version": "test"},
        on_step=on_step,
    )
