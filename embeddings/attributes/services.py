"""Suggest labels, and take or dismiss what was suggested."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import QuerySet

from catalog.models import Category, Gender, Product
from embeddings.attributes.models import AttributeSuggestion
from embeddings.attributes.reading import probabilities
from embeddings.encoders import weights_folders
from embeddings.models import Backbone, ProductVector
from embeddings.nets.finetuned import Description, find_finetuned
from embeddings.serving import read_vectors, vector_bytes

Label, State = AttributeSuggestion.Label, AttributeSuggestion.State
CHUNK = 1_000
# An empty field takes what is likelier than not; against what somebody wrote it must be clear.
MIN_CONFIDENCE, MIN_AGAINST = 0.5, 0.9
FIELDS = {
    Label.CATEGORY: "category__name",
    Label.COLOR: "color",
    Label.GENDER: "gender",
    Label.SEASON: "season",
    Label.USAGE: "usage",
}


class NoAttributesError(ValueError):
    """A backbone that tells no labels."""


@dataclass(frozen=True)
class SuggestionSummary:
    """What a run came to."""

    n_products: int
    n_open: int  # suggestions of these products that wait for somebody


@dataclass(frozen=True)
class DecisionSummary:
    """What became of chosen suggestions."""

    n_accepted: int
    n_outdated: int  # the product or the categories changed since: removed


def attribute_description(backbone: Backbone) -> Description:
    """What the backbone's vectors hold.

    Raises:
        NoAttributesError: it tells no labels, or its files here are other than the registered.
    """
    description = attribute_description_of(backbone.name)
    if description.weights_sha256 != backbone.weights_sha256:
        raise NoAttributesError(
            f"{backbone}: the files here are of other weights than the registered ones; run "
            f"manage.py embed_products --backbone {backbone}"
        )
    return description


def attribute_description_of(name: str) -> Description:
    """What the vectors of the backbone of that name hold, registered or not.

    Raises:
        NoAttributesError: it tells no labels.
    """
    spec = find_finetuned(name, weights_folders())
    if spec is None:
        raise NoAttributesError(
            f"{name} tells no labels: expected one that manage.py finetune made here"
        )
    return spec.description


def suggest_attributes(
    *,
    backbone: Backbone,
    min_confidence: float = MIN_CONFIDENCE,
    min_against: float = MIN_AGAINST,
    on_progress: Callable[[int, int], None] | None = None,
) -> SuggestionSummary:
    """Suggest labels for every product on sale that the backbone has a vector of.

    Suggestions that no longer hold are removed; what was dismissed stays so while the value is the
    same. Run twice it gives the same rows. Cost: four statements per thousand products.

    Raises:
        NoAttributesError: the backbone tells no labels.
    """
    description = attribute_description(backbone)
    rows = ProductVector.objects.filter(backbone=backbone, is_active=True)
    n_total, n_done, n_open = rows.count(), 0, 0
    for ids, vectors in _chunks(rows, backbone):
        told = probabilities(vectors, description)
        thresholds = (min_confidence, min_against)
        n_open += _store(_wanted(ids, told, description, backbone, thresholds), ids)
        n_done += len(ids)
        if on_progress:
            on_progress(n_done, n_total)
    return SuggestionSummary(n_done, n_open)


@transaction.atomic
def accept_suggestions(
    suggestions: QuerySet[AttributeSuggestion], *, by: Any, now: datetime
) -> DecisionSummary:
    """Give products what was suggested, where they are still what they were.

    Cost: one statement for each label and value, and three more.
    """
    chosen = list(suggestions.filter(state=State.OPEN).order_by("pk").select_for_update())
    groups: dict[tuple[str, str, str], list[AttributeSuggestion]] = defaultdict(list)
    for suggestion in chosen:
        groups[suggestion.label, suggestion.value, suggestion.current].append(suggestion)
    accepted: list[int] = []
    for (label, value, current), members in groups.items():
        given = _give(label, value, current, [member.product_id for member in members])
        accepted += [member.pk for member in members if member.product_id in given]
    known = AttributeSuggestion.objects.filter(pk__in=[suggestion.pk for suggestion in chosen])
    known.exclude(pk__in=accepted).delete()
    known.filter(pk__in=accepted).update(state=State.ACCEPTED, decided_by=by, decided_at=now)
    return DecisionSummary(len(accepted), len(chosen) - len(accepted))


def dismiss_suggestions(
    suggestions: QuerySet[AttributeSuggestion], *, by: Any, now: datetime
) -> int:
    """Never suggest these values of these products again; how many."""
    return suggestions.filter(state=State.OPEN).update(
        state=State.DISMISSED, decided_by=by, decided_at=now
    )


def _give(label: str, value: str, current: str, product_ids: list[int]) -> set[int]:
    """Give the products that still have `current` the value; their keys."""
    changes: dict[str, Any] = {label: value}
    if label == Label.CATEGORY:
        category = Category.objects.filter(name=value).first()
        if category is None:
            return set()
        changes = {"category": category}
    elif label == Label.GENDER and value not in Gender.values:
        return set()
    same = Product.objects.filter(pk__in=product_ids, **{FIELDS[Label(label)]: current})
    given = set(same.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    Product.objects.filter(pk__in=given).update(**changes)
    return given


def _chunks(
    rows: QuerySet[ProductVector], backbone: Backbone
) -> Iterator[tuple[list[int], np.ndarray]]:
    last = 0
    while True:
        found = rows.filter(product_id__gt=last).order_by("product_id")
        pairs = list(found.values_list("product_id", vector_bytes("vector"))[:CHUNK])
        if not pairs:
            return
        ids, vectors = read_vectors(pairs, backbone.dimension)
        yield ids.tolist(), vectors
        last = int(ids[-1])


def _wanted(
    ids: Sequence[int],
    told: dict[str, np.ndarray],
    description: Description,
    backbone: Backbone,
    thresholds: tuple[float, float],
) -> list[AttributeSuggestion]:
    """What should be suggested of these products."""
    labels = [label for label in Label if label in told]
    names = [FIELDS[label] for label in labels]
    products = {
        row[0]: dict(zip(labels, row[1:], strict=True))
        for row in Product.objects.filter(pk__in=ids).values_list("pk", *names)
    }
    wanted = []
    for label in labels:
        best = told[label].argmax(axis=1)
        for index, product_id in enumerate(ids):
            value = description.heads[label][best[index]]
            confidence = float(told[label][index, best[index]])
            current = products.get(product_id, {label: value})[label]
            if value != current and confidence >= thresholds[bool(current)]:
                wanted.append(
                    AttributeSuggestion(
                        product_id=product_id,
                        label=label,
                        value=value,
                        confidence=min(1.0, confidence),
                        current=current,
                        backbone=backbone,
                        weights_sha256=backbone.weights_sha256,
                    )
                )
    return wanted


@transaction.atomic
def _store(wanted: list[AttributeSuggestion], ids: list[int]) -> int:
    """Replace what is open of these products; how many wait then."""
    known = AttributeSuggestion.objects.filter(product_id__in=ids)
    dismissed = set(known.filter(state=State.DISMISSED).values_list("product_id", "label", "value"))
    kept = [row for row in wanted if (row.product_id, row.label, row.value) not in dismissed]
    known.filter(state=State.OPEN).delete()
    AttributeSuggestion.objects.bulk_create(
        kept,
        update_conflicts=True,
        unique_fields=["product", "label"],
        update_fields=[
            *("value", "confidence", "current", "backbone", "weights_sha256", "state"),
            *("suggested_at", "decided_by", "decided_at"),
        ],
    )
    return len(kept)
