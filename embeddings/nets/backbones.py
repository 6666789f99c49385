"""The backbones that photos can be embedded by. torch loads only when one is built."""

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.nets.crops import CenterCrop, Framing, WholePhoto
from embeddings.nets.errors import WeightsUnavailable

if TYPE_CHECKING:
    from torch import nn

BUNDLED = "fashrec_small"
BUNDLED_WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True)
class BackboneSpec:
    """One of torchvision's classifiers, cut before the layer named `head`.

    `head` is that layer's path in the module; what goes into it has `dimension` values.
    `weights_file` is torchvision's name of the published weights, which ends in the start of their
    SHA-256.
    """

    name: str
    dimension: int
    head: str
    weights_file: str
    framing: Framing = field(default_factory=CenterCrop)

    @property
    def bundled_file(self) -> Path | None:
        """The weights that are part of the package; None where they are not."""
        return None

    @property
    def url(self) -> str:
        """Where torchvision publishes the weights.

        Read from torchvision's source, as importing it takes seconds that a machine without a
        network would spend for nothing.
        """
        models = Path(find_spec("torchvision").origin).parent / "models"
        address = re.compile(rf'"(https://[^"]+/{re.escape(self.weights_file)})"')
        for file in sorted(models.glob("*.py")):
            if match := address.search(file.read_text(encoding="utf-8")):
                return match[1]
        raise LookupError(f"torchvision publishes no {self.weights_file}")

    def build_classifier(self) -> "nn.Module":
        """The whole network, whose parameters are still to be loaded."""
        from torchvision.models import get_model

        return get_model(self.name, weights=None)

    def cut(self, classifier: "nn.Module") -> "nn.Module":
        """The network in inference mode without its last layer: (n, 3, h, w) -> (n, dimension)."""
        from torch import nn

        parent, _, child = self.head.rpartition(".")
        setattr(classifier.get_submodule(parent), child, nn.Identity())
        return classifier.eval().requires_grad_(False)


@dataclass(frozen=True)
class BundledSpec(BackboneSpec):
    """A network of our own, whose weights come with the package; there is no layer to cut."""

    @property
    def bundled_file(self) -> Path:
        """The weights in the package."""
        return BUNDLED_WEIGHTS / self.weights_file

    @property
    def url(self) -> str:
        """It is published nowhere else.

        Raises:
            WeightsUnavailable: always.
        """
        raise WeightsUnavailable(
            f"no weights for {self.name}: {self.bundled_file} is missing; install the package again"
        )

    def build_classifier(self) -> "nn.Module":
        """The network, whose parameters are still to be loaded."""
        from embeddings.nets.fashrec_small import FashrecSmall

        return FashrecSmall()

    def cut(self, classifier: "nn.Module") -> "nn.Module":
        """The network in inference mode: (n, 3, h, w) -> (n, dimension)."""
        return classifier.eval().requires_grad_(False)


BACKBONES: dict[str, BackboneSpec] = {
    spec.name: spec
    for spec in (
        BackboneSpec("resnet50", 2048, "fc", "resnet50-0676ba61.pth"),
        BackboneSpec("densenet121", 1024, "classifier", "densenet121-a639ec97.pth"),
        BackboneSpec("vgg16", 4096, "classifier.6", "vgg16-397923af.pth"),
        BackboneSpec("mobilenet_v2", 1280, "classifier", "mobilenet_v2-b0353104.pth"),
        BundledSpec(BUNDLED, 960, "", f"{BUNDLED}.safetensors", WholePhoto(128)),
    )
}
