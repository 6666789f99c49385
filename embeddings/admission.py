"""Which way a backbone's photos are embedded here: the fastest that was found faithful.

A way is a runtime and whether photos are decoded smaller. Each is measured against the reference
(torch in fp32, decoded in full) on photos of the catalogue, and admitted or refused in a row. That
happens at the first embedding, not at registration: then there are photos, and the process is on
the machine that will embed. Until there are `MIN_PHOTOS` the reference embeds, as measuring takes
as long as embedding some hundreds of photos. Whatever is admitted agrees with the reference, so
that vectors of several ways may lie side by side.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.models import F

from catalog.models import ProductImage
from embeddings.eight_bits import calibrate, int8_file, int8_network
from embeddings.encoders import (
    DECODE_SIDE,
    Encoder,
    NetworkEncoder,
    cached_encoder,
    is_network,
    registered_encoder,
)
from embeddings.fidelity_sample import decoding_cosines, prepare_all, sample_photos
from embeddings.models import Backbone, FidelityCheck
from embeddings.nets import fidelity
from embeddings.nets.runtimes import (
    OPENVINO_INT8,
    REFERENCE,
    accelerated,
    available_runtimes,
    circumstances,
)

MIN_PHOTOS = 512
MIN_READABLE = 64  # of the sample; fewer say little about neighbours
MEASURING_SECONDS = 60.0  # after which no more of the sample is encoded by the reference
MAX_LOST = 3
MEASURING = "measuring"  # the way of the row that says that a process is at it
REDUCED_DECODING = "reduced decoding"
LONGEST_REASON = 500  # characters, as the column holds

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Way:
    """How photos become vectors."""

    runtime: str
    is_reduced: bool  # photos are decoded smaller where they are large enough

    @property
    def name(self) -> str:
        """As it is stored and shown."""
        return f"{self.runtime}, {REDUCED_DECODING if self.is_reduced else 'full decoding'}"


REFERENCE_WAY = Way(REFERENCE, is_reduced=False)


@dataclass(frozen=True)
class Decision:
    """A way, and why it was chosen."""

    way: Way
    reason: str

    @property
    def shown(self) -> str:
        """One line; empty where there was nothing to decide."""
        return f"{self.way.name} ({self.reason})" if self.reason else ""


def candidate_ways() -> list[Way]:
    """What this machine could embed by, fastest first, without the reference.

    FASHREC_EMBEDDING_RUNTIME leaves only its own.
    """
    forced = settings.FASHREC_EMBEDDING_RUNTIME
    runtimes = [name for name in _runtimes_here() if forced in ("", name)]
    ways = [Way(name, is_reduced) for name in runtimes for is_reduced in (True, False)]
    return [way for way in ways if way.runtime != REFERENCE or (way.is_reduced and not forced)]


def choose_way(backbone: Backbone, *, min_photos: int = MIN_PHOTOS) -> Decision:
    """The way to embed by in this process, measured now where nobody did and there are photos.

    Raises:
        WeightsUnavailable: the weights cannot be had, or are other than the registered ones.
    """
    if not is_network(backbone.name):
        return Decision(REFERENCE_WAY, "")
    ways = candidate_ways()
    if (known := _stored_decision(backbone, ways)) is not None:
        return known
    if ProductImage.objects.active()[:min_photos].count() < min_photos:
        return Decision(REFERENCE_WAY, f"faster ways are measured from {min_photos} photos on")
    with _alone(backbone):
        decision = _stored_decision(backbone, ways) or _measure_unless_deadly(backbone, ways)
    logger.info("%s is embedded by %s", backbone, decision.shown)
    return decision


def known_way(backbone: Backbone) -> Way:
    """The way that was chosen here before, else the reference; nothing is measured."""
    if not is_network(backbone.name):
        return REFERENCE_WAY
    known = _stored_decision(backbone, candidate_ways())
    return REFERENCE_WAY if known is None else known.way


def encoder_of(backbone: Backbone, way: Way) -> Encoder:
    """The backbone's encoder by a way, loaded once per process.

    Raises:
        WeightsUnavailable: the weights cannot be had, or are other than the registered ones.
    """
    if way == REFERENCE_WAY:
        return cached_encoder(backbone.name, backbone.weights_sha256)
    return _fast_encoder(backbone.name, backbone.weights_sha256, way)


def by_way(reference: NetworkEncoder, way: Way) -> NetworkEncoder:
    """The reference's network on another way, unmeasured."""
    if way.runtime == OPENVINO_INT8:
        network = int8_network(reference)
    else:
        network = accelerated(reference.network, way.runtime)
    decode_side = DECODE_SIDE if way.is_reduced else None
    return replace(reference, network=network, decode_side=decode_side, is_reference=False)


@lru_cache(maxsize=2)
def _fast_encoder(name: str, weights_sha256: str, way: Way) -> Encoder:
    return by_way(registered_encoder(name, weights_sha256), way)


@lru_cache(maxsize=1)
def _runtimes_here() -> tuple[str, ...]:
    return tuple(available_runtimes(with_calibrated=True))


def _checks(backbone: Backbone) -> dict[str, FidelityCheck]:
    """What is known of today's weights under today's circumstances, by way."""
    rows = FidelityCheck.objects.filter(
        backbone=backbone, weights_sha256=backbone.weights_sha256, circumstances=circumstances()
    )
    return {row.way: row for row in rows}


def _stored_decision(backbone: Backbone, ways: list[Way]) -> Decision | None:
    """The first admitted way, the reference where all are refused, None where one is unknown."""
    checks = _checks(backbone)
    for way in ways:
        if way.name not in checks:
            return None
        if checks[way.name].is_admitted and not _is_here(backbone, way):
            return None  # admitted by another machine that shares the database
        if checks[way.name].is_admitted:
            return Decision(way, checks[way.name].reason)
    refusals = [f"{way.name}: {checks[way.name].reason}" for way in ways]
    return Decision(REFERENCE_WAY, "; ".join(refusals) or _nothing_faster())


def _is_here(backbone: Backbone, way: Way) -> bool:
    """Whether this machine has what the way needs beside the weights."""
    return way.runtime != OPENVINO_INT8 or int8_file(backbone).is_file()


def _nothing_faster() -> str:
    forced = settings.FASHREC_EMBEDDING_RUNTIME
    here = ", ".join(_runtimes_here())
    return f"FASHREC_EMBEDDING_RUNTIME={forced}; this machine has {here}"


def _measure_unless_deadly(backbone: Backbone, ways: list[Way]) -> Decision:
    """Measure, unless three processes were lost over it: a photo, or a runtime, kills them."""
    key = _key(backbone, MEASURING)
    row, _ = FidelityCheck.objects.get_or_create(**key, defaults={"reason": "begun"})
    if row.attempts >= MAX_LOST:
        reason = f"{MAX_LOST} processes were lost while they measured; delete that row to try again"
        return Decision(REFERENCE_WAY, reason)
    FidelityCheck.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    try:
        return _measure(backbone, ways)
    finally:
        row.delete()


def _measure(backbone: Backbone, ways: list[Way]) -> Decision:
    """Measure way after way until one is admitted; each is stored."""
    reference = registered_encoder(backbone.name, backbone.weights_sha256)
    photos, inputs = prepare_all(sample_photos(backbone), reference)
    if len(photos) < MIN_READABLE:
        return Decision(REFERENCE_WAY, f"{len(photos)} photos of the sample could be read")
    expected = _encoded_in_time(reference, inputs)
    photos = photos[: len(expected)]
    refusals = []
    reduced_refusal = _decoding_refusal(backbone, photos, reference)
    for way in ways:
        if way.is_reduced and reduced_refusal:
            check = _store(backbone, way.name, reduced_refusal, {})
        else:
            check = _check(backbone, way, photos, reference, expected)
        if check.is_admitted:
            return Decision(way, check.reason)
        logger.warning("%s is not embedded by %s: %s", backbone, way.name, check.reason)
        refusals.append(f"{way.name}: {check.reason}")
    return Decision(REFERENCE_WAY, "; ".join(refusals))


def _encoded_in_time(reference: Encoder, inputs: list[np.ndarray]) -> np.ndarray:
    """Features of the first inputs, as many as a slow machine manages: a task's time is bounded."""
    started, parts = time.monotonic(), []
    for start in range(0, len(inputs), MIN_READABLE):
        parts.append(reference.encode(inputs[start : start + MIN_READABLE]))
        if time.monotonic() - started > MEASURING_SECONDS:
            break
    return np.concatenate(parts)


def _decoding_refusal(
    backbone: Backbone, photos: list[ProductImage], reference: NetworkEncoder
) -> str:
    """Why photos may not be decoded smaller; empty where they may. Stored."""
    reduced = by_way(reference, Way(REFERENCE, is_reduced=True))
    cosines = decoding_cosines(photos, reference, reduced)
    mean, worst = float(cosines.mean()), float(cosines.min())
    limit = fidelity.MIN_DECODING_COSINE
    refusal = "" if worst >= limit else f"worst cosine {worst:.4f}, expected {limit} or more"
    figures = {"n_photos": len(cosines), "mean_cosine": mean, "worst_cosine": worst}
    _store(backbone, REDUCED_DECODING, refusal, figures)
    return refusal and f"{REDUCED_DECODING}: {refusal}"


def _check(
    backbone: Backbone,
    way: Way,
    photos: list[ProductImage],
    reference: NetworkEncoder,
    expected: np.ndarray,
) -> FidelityCheck:
    """Measure one way on photos whose reference features are `expected`, and store the outcome."""
    try:
        if way.runtime == OPENVINO_INT8:
            calibrate(backbone, reference)
        encoder = by_way(reference, way)
        found = encoder.encode(prepare_all(photos, encoder)[1])
    except Exception as error:  # whatever a runtime raises, another one can still embed
        return _store(backbone, way.name, f"it failed: {error}", {})
    categories = np.array([photo.product.category_id for photo in photos])
    measured = fidelity.compare(found, expected, categories)
    return _store(backbone, way.name, measured.refusal, asdict(measured))


def _store(backbone: Backbone, way: str, refusal: str, figures: dict[str, float]) -> FidelityCheck:
    """The stored outcome; a refusal is one line."""
    summary = ", ".join(f"{name.replace('_', ' ')} {value:.5g}" for name, value in figures.items())
    outcome = {
        "is_admitted": not refusal,
        "reason": (" ".join(refusal.split()) or summary)[:LONGEST_REASON],
        "figures": figures,
    }
    row, _ = FidelityCheck.objects.update_or_create(**_key(backbone, way), defaults=outcome)
    return row


def _key(backbone: Backbone, way: str) -> dict[str, object]:
    return {
        "backbone": backbone,
        "weights_sha256": backbone.weights_sha256,
        "way": way,
        "circumstances": circumstances(),
    }


@contextmanager
def _alone(backbone: Backbone) -> Iterator[None]:
    """Only one process measures a backbone; the others wait, and read what it found."""
    lock = f"measure fidelity {backbone.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [lock])
