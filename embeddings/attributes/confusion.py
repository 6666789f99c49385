"""How often each value is told as which, on products that the backbone was not trained on."""

from dataclasses import dataclass

import numpy as np

from catalog.models import Product
from embeddings.attributes.reading import probabilities
from embeddings.attributes.services import FIELDS, Label, attribute_description
from embeddings.models import Backbone
from embeddings.photo_sets import split_of
from embeddings.serving import served_vectors

N_VALUES = 25  # of the commonest, so that a page can show them
OTHER = "other"


@dataclass(frozen=True)
class Confusion:
    """Counts of what was true and what was told; the values are the commonest ones and `other`."""

    label: str
    values: tuple[str, ...]
    counts: np.ndarray  # (n_values, n_values): row is true, column told
    n_right: int  # of all products, before values were put together

    @property
    def n_products(self) -> int:
        """That have the label and were not trained on."""
        return int(self.counts.sum())

    @property
    def percent_right(self) -> float:
        """Of all."""
        return 100 * self.n_right / self.n_products if self.n_products else 0.0


def confusion(backbone: Backbone, label: str) -> Confusion:
    """The label's confusion on products on sale outside of the split's training part.

    Two queries, and all vectors of the backbone in memory.

    Raises:
        NoAttributesError: the backbone tells no labels.
    """
    description = attribute_description(backbone)
    ids, vectors = served_vectors(backbone)
    if label not in description.heads or not len(ids):
        return Confusion(label, (), np.zeros((0, 0), np.int64), 0)
    told = np.array(description.heads[label])[
        probabilities(vectors, description)[label].argmax(axis=1)
    ]
    rows = Product.objects.filter(pk__in=ids.tolist()).values_list(
        "pk", "title", "item_id", FIELDS[Label(label)]
    )
    true = {pk: value for pk, title, item_id, value in rows if _is_unseen(title or item_id)}
    pairs = [(true[pk], name) for pk, name in zip(ids.tolist(), told, strict=True) if true.get(pk)]
    return _counted(label, pairs)


def _is_unseen(group: str) -> bool:
    return split_of(group) != "train"


def _counted(label: str, pairs: list[tuple[str, str]]) -> Confusion:
    names, counts = np.unique([name for name, _ in pairs], return_counts=True)
    common = [str(name) for name in names[np.argsort(-counts, kind="stable")][:N_VALUES]]
    values = (*common, OTHER)
    place = {name: index for index, name in enumerate(common)}
    table = np.zeros((len(values), len(values)), np.int64)
    for true, told in pairs:
        table[place.get(true, len(common)), place.get(told, len(common))] += 1
    return Confusion(label, values, table, sum(true == told for true, told in pairs))
