"""What can be done with embeddings: register a backbone, embed photos, read vectors."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass

import numpy as np
from django.db import transaction

from embeddings.admission import choose_way, encoder_of
from embeddings.claims import plan_batches
from embeddings.encoders import (
    COLOR_LAYOUT,
    BackboneVersion,
    load_encoder,
    local_version,
    weights_source,
)
from embeddings.indexes import drop_search_indexes
from embeddings.models import Backbone, Embedding, ProductVector
from embeddings.nets.backbones import BACKBONES, BUNDLED
from embeddings.nets.errors import WeightsRejected, WeightsUnavailable
from embeddings.pipeline import BATCH_SIZE, embed_batches
from embeddings.preference import PREFERRED_BACKBONES
from embeddings.serving import masked_vectors, refresh_product_vectors, served_vectors

IDS_PER_QUERY = 1024

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class BackboneChoice:
    """A backbone whose weights can be had, and why it was chosen."""

    name: str
    reason: str


@dataclass(frozen=True)
class EmbeddingSummary:
    """What an embedding run came to."""

    n_ready: int
    n_failed: int
    seconds: float
    way: str = ""  # how this process embedded and why so, where it did

    @property
    def images_per_second(self) -> float:
        """Photos settled per second, both ways."""
        return (self.n_ready + self.n_failed) / self.seconds if self.seconds else 0.0


def register_backbone(*, name: str) -> Backbone:
    """The backbone's row with today's dimension and weights' fingerprint.

    Weights, or a preprocessing, other than the registered ones retire every vector that products
    were compared by, in the same transaction, so that no query ever mixes two models.

    Raises:
        WeightsUnavailable: the weights are nowhere to be had, or were refused; nothing changed.
        ValueError: no such backbone.
    """
    if (row := _registered(local_version(name))) is not None:
        return row
    todays = asdict(load_encoder(name).version)
    with transaction.atomic():
        row, is_new = Backbone.objects.get_or_create(name=name, defaults=todays)
        row = Backbone.objects.select_for_update().get(pk=row.pk)
        if not is_new and any(getattr(row, key) != value for key, value in todays.items()):
            _replace_model(row, todays)
    return row


def choose_backbone() -> BackboneChoice:
    """The best backbone whose weights can be had now, and why.

    Files on this machine win over a download. A download of the best one is tried, and given up
    after 5 s without an answer; then it is the one that comes with the package.
    """
    notes: list[str] = []
    if (choice := _choose_local(notes)) is not None:
        return choice
    best = PREFERRED_BACKBONES[0]
    try:
        weights_source().obtain(BACKBONES[best])
    except WeightsUnavailable as error:
        return _choose_bundled(notes, error)
    return BackboneChoice(best, "; ".join([*notes, "its weights were downloaded"]))


def _choose_local(notes: list[str]) -> BackboneChoice | None:
    """The best one with weights of the user's; `notes` takes in what was refused."""
    source = weights_source()
    for name in PREFERRED_BACKBONES:
        path = source.local_file(BACKBONES[name]) if name in BACKBONES else None
        if path is None or path == BACKBONES[name].bundled_file:
            continue
        try:
            register_backbone(name=name)
        except WeightsRejected as error:
            notes.append(str(error))
            continue
        return BackboneChoice(name, "; ".join([*notes, f"the best with weights here ({path})"]))
    return None


def _choose_bundled(notes: list[str], missing: WeightsUnavailable) -> BackboneChoice:
    """The small network of the package, or the descriptor where even that one lacks."""
    try:
        register_backbone(name=BUNDLED)
    except WeightsUnavailable as error:
        reason = f"it needs no weights, and colour is all it sees ({missing}; {error})"
        return BackboneChoice(COLOR_LAYOUT, "; ".join([*notes, reason]))
    reason = f"it comes with the package; larger ones see more ({missing})"
    return BackboneChoice(BUNDLED, "; ".join([*notes, reason]))


def best_backbone() -> str:
    """The name of the best backbone whose weights can be had now; see `choose_backbone`."""
    return choose_backbone().name


def embed_missing(
    *, backbone: Backbone, mask_method: str | None = None, on_progress: Progress | None = None
) -> EmbeddingSummary:
    """Embed every active photo without a current embedding, in this process.

    `mask_method` None takes the best for each photo. `on_progress` gets (settled, all of them).
    Stopped at any moment it loses at most the batch in work; called again it goes on. Photos that
    another process has in work are left to it.

    Raises:
        WeightsUnavailable: the weights cannot be had, or are other than the registered ones.
    """
    missing = Embedding.objects.images_without(backbone, mask_method)
    n_total, started = missing.count(), time.monotonic()
    if n_total == 0:
        refresh_product_vectors(backbone)
        return EmbeddingSummary(0, 0, time.monotonic() - started)
    decision = choose_way(backbone)
    encoder = encoder_of(backbone, decision.way)
    n_ready = n_failed = 0
    results = embed_batches(
        _planned(missing_ids(backbone=backbone, mask_method=mask_method), backbone),
        encoder=encoder,
        backbone=backbone,
        mask_method=mask_method,
    )
    with closing(results):  # gives back its claims also when on_progress is interrupted
        for result in results:
            n_ready, n_failed = n_ready + result.n_ready, n_failed + result.n_failed
            if on_progress:
                on_progress(n_ready + n_failed, n_total)
    refresh_product_vectors(backbone)
    return EmbeddingSummary(n_ready, n_failed, time.monotonic() - started, decision.shown)


def embed_images(
    *, image_ids: list[int], backbone: Backbone, mask_method: str | None = None
) -> EmbeddingSummary:
    """Embed those of the photos that lack a current embedding; any number of times.

    Raises:
        WeightsUnavailable: the weights cannot be had, or are other than the registered ones.
    """
    encoder = encoder_of(backbone, choose_way(backbone).way)
    started = time.monotonic()
    results = list(
        embed_batches(
            _planned([image_ids], backbone),
            encoder=encoder,
            backbone=backbone,
            mask_method=mask_method,
        )
    )
    n_ready, n_failed = sum(r.n_ready for r in results), sum(r.n_failed for r in results)
    return EmbeddingSummary(n_ready, n_failed, time.monotonic() - started)


def missing_ids(
    *, backbone: Backbone, mask_method: str | None = None, batch_size: int = IDS_PER_QUERY
) -> Iterator[list[int]]:
    """Keys of photos without a current embedding, in ascending batches; one query each.

    A photo that stays missing is not met twice.
    """
    missing, last = Embedding.objects.images_without(backbone, mask_method), 0
    while ids := list(missing.filter(pk__gt=last).values_list("pk", flat=True)[:batch_size]):
        yield ids
        last = ids[-1]


def forget_failures(*, backbone: Backbone, mask_method: str | None = None) -> int:
    """Let photos that failed be tried again; how many."""
    failed = Embedding.objects.up_to_date().of(backbone).filter(state=Embedding.State.FAILED)
    if mask_method:
        failed = failed.filter(mask_method=mask_method)
    return failed.delete()[0]


def primary_vectors(
    *, backbone: Backbone, mask_method: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Active products' vectors: ids (n,) int64 ascending, vectors (n, dimension) float32.

    They have length 1. `mask_method` None gives what is served, else the primary photos' current
    embeddings by that method. One query.
    """
    if mask_method is None:
        return served_vectors(backbone)
    return masked_vectors(backbone, mask_method)


def _planned(
    id_batches: Iterable[list[int]], backbone: Backbone
) -> Iterator[tuple[list[int], bool]]:
    for ids in id_batches:
        yield from plan_batches(ids, backbone, BATCH_SIZE)


def _registered(version: BackboneVersion | None) -> Backbone | None:
    """The row of a version that was loaded and found good before."""
    return Backbone.objects.filter(**asdict(version)).first() if version else None


def _replace_model(row: Backbone, todays: dict[str, object]) -> None:
    ProductVector.objects.filter(backbone=row).delete()
    if row.preprocessing != todays["preprocessing"]:  # not part of an embedding's fingerprints
        Embedding.objects.filter(backbone=row).delete()
    if row.dimension != todays["dimension"]:
        drop_search_indexes(row)
    for key, value in todays.items():
        setattr(row, key, value)
    row.save(update_fields=list(todays))
