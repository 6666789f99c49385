"""A fine-tuned backbone by hand: its description, and vectors that say what is wanted."""

import json
from pathlib import Path

import numpy as np

from embeddings.models import Backbone
from embeddings.nets.finetuned import KIND
from tests.factories import ProductVectorFactory

HEADS = {"category": ["Shirts", "Shoes"], "color": ["Black", "Red", "White"], "gender": ["MEN"]}
N_LEADING = 4  # values of the metric and the colours


def description() -> dict[str, object]:
    """Weights whose squares sum to one; all temperatures one."""
    names = ["metric", "colors", *HEADS]
    return {
        "kind": KIND,
        "name": "mine",
        "backbone": "mobilenet_v2",
        "side": 32,
        "dimension": N_LEADING + sum(map(len, HEADS.values())),
        "heads": HEADS,
        "weights": dict.fromkeys(names, 5**-0.5),
        "temperatures": dict.fromkeys(HEADS, 1.0),
        "calibration": dict.fromkeys(HEADS, 1.0),
        "weights_sha256": "1" * 64,
    }


def registered(folder: Path) -> Backbone:
    """The backbone with both its files; the weights are never read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.json").write_text(json.dumps(description()))
    (folder / "mine.safetensors").write_bytes(b"")
    return Backbone.objects.create(
        name="mine", dimension=description()["dimension"], weights_sha256="1" * 64
    )


def tell(backbone: Backbone, product, category, color) -> None:
    """A vector of these probabilities, and MEN."""
    leading = np.full(N_LEADING, 0.5**0.5)
    told = np.concatenate([category, color, [1.0]]) ** 0.5
    vector = np.concatenate([leading, told]) * 5**-0.5
    ProductVectorFactory(product=product, backbone=backbone, vector=vector)
