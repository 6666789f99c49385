"""How well a fine-tuned backbone tells the labels of a photo set's test part."""

from collections.abc import Callable, Sequence

import numpy as np

from embeddings.admission import Way, by_way
from embeddings.attributes.reading import probabilities
from embeddings.attributes.services import attribute_description_of
from embeddings.encoders import Encoder, load_encoder
from embeddings.masks import MaskSettings
from embeddings.nets.finetuned import Description
from embeddings.nets.runtimes import REFERENCE
from embeddings.photo_sets import LabelledPhoto, split_of
from embeddings.photos import DecodedPhoto, read_photo

AT_ONCE = 64


def evaluate_attributes(
    name: str,
    photos: Sequence[LabelledPhoto],
    *,
    set_name: str,
    runtime: str = REFERENCE,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, float]]:
    """Per label of the set: top-1, macro-F1, the majority's top-1 and the calibration error.

    Photos of the split's test part are looked at whole. A set's own head (`label@set`) tells where
    there is one, else the catalogue's.

    Raises:
        NoAttributesError: the backbone tells no labels.
        WeightsUnavailable: its weights cannot be had.
    """
    # Imports scikit-learn, which a web server has no use for.
    from embeddings.training.finetuning.measures import measure_label

    description = attribute_description_of(name)
    encoder = load_encoder(name)
    if runtime != REFERENCE:
        encoder = by_way(encoder, Way(runtime, is_reduced=False))
    test = [photo for photo in photos if split_of(photo.group) == "test"]
    train = [photo for photo in photos if split_of(photo.group) == "train"]
    told = probabilities(_embedded(encoder, test, on_progress), description)
    measured = {}
    for label in dict.fromkeys(head.partition("@")[0] for head in description.heads):
        if (head := _head(description, label, set_name)) is None:
            continue
        values = description.heads[head]
        targets, training = _targets(test, label, values), _targets(train, label, values)
        measure = measure_label(told[head], targets, training)
        if measure is not None and (training >= 0).any():
            measured[label] = measure.as_dict()
    return measured


def _head(description: Description, label: str, set_name: str) -> str | None:
    own = f"{label}@{set_name}"
    return next((head for head in (own, label) if head in description.heads), None)


def _targets(photos: Sequence[LabelledPhoto], label: str, values: Sequence[str]) -> np.ndarray:
    place = {value: index for index, value in enumerate(values)}
    return np.array([place.get(photo.labels.get(label, ""), -1) for photo in photos], np.int64)


def _embedded(
    encoder: Encoder,
    photos: Sequence[LabelledPhoto],
    on_progress: Callable[[int, int], None] | None,
) -> np.ndarray:
    parts = []
    for start in range(0, len(photos), AT_ONCE):
        inputs = [_input(encoder, photo) for photo in photos[start : start + AT_ONCE]]
        parts.append(encoder.encode(inputs))
        if on_progress:
            on_progress(start + len(inputs), len(photos))
    return np.concatenate(parts) if parts else np.zeros((0, encoder.version.dimension), np.float32)


def _input(encoder: Encoder, photo: LabelledPhoto) -> np.ndarray:
    with photo.path.open("rb") as file:
        image = read_photo(file)
    return encoder.prepare(DecodedPhoto(image, image.size), None, MaskSettings())
