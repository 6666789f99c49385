"""Fine-tuned backbones as files: NAME.safetensors and NAME.json beside it. Free of torch."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.nets.backbones import BACKBONES, BackboneSpec
from embeddings.nets.crops import WholePhoto
from embeddings.nets.errors import WeightsRejected, WeightsUnavailable

if TYPE_CHECKING:
    from torch import nn

KIND = "label_network 3"  # another number with anything that changes its vectors
# In the vector's order: a part's name, and how many values it has.
METRIC, COLORS = "metric", "colors"


@dataclass(frozen=True)
class Description:
    """What the JSON says: all that is needed to build the network and to read its vectors."""

    name: str
    backbone: str
    side: int
    dimension: int
    heads: Mapping[str, tuple[str, ...]]  # head -> the labels' values, in the vector's order
    weights: Mapping[str, float]  # of the parts, the heads' among them
    temperatures: Mapping[str, float]  # of the heads, in the vector
    calibration: Mapping[str, float]  # of the heads, at which their probabilities are true
    weights_sha256: str
    metrics: Mapping[str, object] = field(default_factory=dict)
    training: Mapping[str, object] = field(default_factory=dict)  # how it was made


@dataclass(frozen=True)
class FinetunedSpec(BackboneSpec):
    """A backbone of our own training, read from its two files."""

    description: Description | None = None
    file: Path | None = None

    @property
    def bundled_file(self) -> Path:
        """The weights, wherever they were found."""
        return self.file

    @property
    def url(self) -> str:
        """It is published nowhere.

        Raises:
            WeightsUnavailable: always.
        """
        raise WeightsUnavailable(f"no weights for {self.name}: {self.file} is missing")

    def build_classifier(self) -> "nn.Module":
        """The network, whose parameters are still to be loaded."""
        from embeddings.nets.label_network import build_label_network

        classifier = BACKBONES[self.description.backbone].build_classifier()
        heads = {name: len(values) for name, values in self.description.heads.items()}
        return build_label_network(
            self.description.backbone, classifier, heads, self.description.side
        )

    def cut(self, classifier: "nn.Module") -> "nn.Module":
        """The network in inference mode: (n, 3, side, side) -> (n, dimension)."""
        return classifier.eval().requires_grad_(False)


def find_finetuned(name: str, folders: Iterable[Path]) -> FinetunedSpec | None:
    """The fine-tuned backbone of that name in the first folder that has it.

    Raises:
        WeightsRejected: its description cannot be read.
    """
    for folder in folders:
        weights = folder / f"{name}.safetensors"
        described = weights.with_suffix(".json")
        if weights.is_file() and described.is_file():
            description = read_description(described)
            if description is not None:
                return _spec(description, weights)
    return None


def finetuned_names(folders: Iterable[Path]) -> list[str]:
    """The names of all fine-tuned backbones in the folders, sorted."""
    files = (file for folder in folders for file in sorted(folder.glob("*.json")))
    return sorted({file.stem for file in files if find_finetuned(file.stem, [file.parent])})


def read_description(path: Path) -> Description | None:
    """What a JSON file says of its backbone; None where it describes something else.

    Raises:
        WeightsRejected: it is no JSON object, or lacks something.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("kind") != KIND:
            return None
        return Description(
            **{
                name: content[name]
                for name in Description.__dataclass_fields__
                if name not in ("heads", "metrics", "training")
            },
            heads={name: tuple(values) for name, values in content["heads"].items()},
            metrics=content.get("metrics", {}),
            training=content.get("training", {}),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsRejected(path, f"no description of a backbone: {error!r}") from error


def _spec(description: Description, weights: Path) -> FinetunedSpec:
    return FinetunedSpec(
        name=weights.stem,
        dimension=description.dimension,
        head="",
        weights_file=weights.name,
        framing=WholePhoto(description.side),
        description=description,
        file=weights,
    )
