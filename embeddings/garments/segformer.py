"""A SegFormer that was trained on clothes, through transformers, from a folder or by its name.

Source: Xie et al., SegFormer, NeurIPS 2021. Its labels are its training's; the committed table says
which of our classes each is.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from embeddings.garments.classes import N_CLASSES, GarmentClass
from embeddings.nets.errors import WeightsUnavailable

FILE = Path(__file__).with_name("segformer_labels.json")


class SegformerUnavailable(WeightsUnavailable):
    """No usable SegFormer; one line says why and what to do."""


class Segformer:
    """A loaded network; any number of threads may call it."""

    def __init__(self, source: str) -> None:
        """Load from a folder, or by a name that transformers knows (`name@revision` pins it).

        Raises:
            SegformerUnavailable: transformers, the network, or a class for a label is missing.
        """
        if find_spec("transformers") is None:
            raise SegformerUnavailable(
                "FASHREC_SEGFORMER needs transformers: install the extra 'segformer' "
                "(pip install transformers), or unset it"
            )
        from transformers import SegformerForSemanticSegmentation, SegformerImageProcessor

        if Path(source).is_absolute() and not Path(source).is_dir():
            raise SegformerUnavailable(f"FASHREC_SEGFORMER={source}: there is no such folder")
        name, _, revision = source.partition("@")
        options = {"revision": revision} if revision else {}
        try:
            self._processor = SegformerImageProcessor.from_pretrained(name, **options)
            self._network = SegformerForSemanticSegmentation.from_pretrained(name, **options).eval()
        except (OSError, ValueError) as error:
            line = " ".join(str(error).split())[:300]
            raise SegformerUnavailable(f"FASHREC_SEGFORMER={source}: {line}") from error
        self._classes = label_classes(self._network.config.id2label)  # (n_labels,)

    def probabilities(self, photo: np.ndarray) -> np.ndarray:
        """(height, width, 3) uint8 RGB -> (N_CLASSES, h, w) float32 at the network's resolution."""
        import torch

        inputs = self._processor(images=photo, return_tensors="pt")
        with torch.inference_mode():
            found = self._network(**inputs).logits[0].softmax(dim=0).numpy()  # (n_labels, h, w)
        summed = np.zeros((N_CLASSES, *found.shape[1:]), np.float32)
        np.add.at(summed, self._classes, found)
        return summed


def label_classes(labels: dict[int, str]) -> np.ndarray:
    """For each of a network's labels our class, (n_labels,).

    Raises:
        SegformerUnavailable: a label is not in the table.
    """
    table = _table()
    names = [labels[position].strip().lower() for position in sorted(labels)]
    unknown = sorted(set(names) - set(table))
    if unknown:
        raise SegformerUnavailable(
            f"FASHREC_SEGFORMER has labels without a class: {', '.join(unknown)}; "
            f"expected a network trained on clothes, {FILE.name} lists what is known"
        )
    return np.array([table[name] for name in names])


@cache
def _table() -> dict[str, GarmentClass]:
    named = json.loads(FILE.read_text(encoding="utf-8"))
    return {label: GarmentClass[name.upper()] for name, labels in named.items() for label in labels}
