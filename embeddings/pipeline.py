"""From claimed photos to stored embeddings: decoding in threads, ahead of the network."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Self

import numpy as np
from django.conf import settings
from django.db import OperationalError, connection, transaction

from embeddings.claims import Claim, claim_images, release, store, withdraw
from embeddings.encoders import Encoder, unit_vectors
from embeddings.mask_settings import current_mask_settings
from embeddings.models import Backbone, Embedding
from embeddings.preparation import Prepared, PreparedGarment, prepare_photo
from embeddings.querysets import WHOLE, mask_fingerprint
from embeddings.serving import refresh_product_vectors

# Claiming and storing took 1.0 ms of processor time a photo in batches of 32, 0.65 in 64 and 0.45
# in 128, beside 4.3 ms of mobilenet_v2; a killed process loses what it had in work.
BATCH_SIZE = 64
BATCHES_IN_WORK = 3  # one in each stage
LONGEST_ERROR = 500  # characters, as the column holds
# Shorter than PostgreSQL's deadlock_timeout (1 s): an import that changes the same products in
# another order is never the one that is aborted.
LOCK_TIMEOUT = "500ms"
WRITE_RETRIES = 120


@dataclass(frozen=True)
class BatchResult:
    """What came of a batch. Photos that changed or vanished meanwhile are counted nowhere."""

    n_ready: int
    n_failed: int


@dataclass(frozen=True)
class _Embedded:
    """A photo's unit vector, and which method found its garment."""

    vector: np.ndarray
    found_by: str
    garments: tuple[tuple[PreparedGarment, np.ndarray], ...] = ()  # with their unit vectors


@dataclass(frozen=True)
class _InWork:
    """A claimed batch on its way through the threads."""

    claim: Claim
    inputs: list[Future[Prepared | str]]  # a photo's input, or the reason why it has none
    outcomes: Future[list[_Embedded | str]]


def embed_batches(
    batches: Iterable[tuple[list[int], bool]],
    *,
    encoder: Encoder,
    backbone: Backbone,
    mask_method: str | None,
) -> Iterator[BatchResult]:
    """Embed batches of photos: one is decoded while the network has the one before and the one
    before that is stored.

    Decoding and the network have threads of their own, the database has the caller's. At most
    `BATCHES_IN_WORK` batches are in memory. A batch that must run alone is claimed when the ones
    before are stored. Stopped half-way, what is unfinished is nobody's again.

    Raises:
        WeightsChanged: the backbone was registered with other weights meanwhile.
    """
    ahead: deque[_InWork] = deque()
    with _Threads(encoder) as threads:
        try:
            for image_ids, is_alone in batches:
                while ahead and is_alone:
                    yield _finish(ahead)
                claim = claim_images(image_ids, backbone=backbone, mask_method=mask_method)
                ahead.append(threads.start(claim))
                while len(ahead) >= (1 if is_alone else BATCHES_IN_WORK):
                    yield _finish(ahead)
            while ahead:
                yield _finish(ahead)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            _abandon(ahead, withdraw)
            raise
        except BaseException:
            _abandon(ahead, release)
            raise


class WeightsChanged(RuntimeError):  # noqa: N818 - what happened, not an error of the caller
    """The backbone was registered with other weights while photos were embedded with the old."""


class _Threads:
    """Threads that decode photos, and one that feeds the network; closed with their work done."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._decoders = ThreadPoolExecutor(cpu_count(), thread_name_prefix="decode")
        self._network = ThreadPoolExecutor(1, thread_name_prefix="network")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoders.shutdown()
        self._network.shutdown()

    def start(self, claim: Claim) -> _InWork:
        """Decode and encode a batch, after those that were started before."""
        settings, encoder = current_mask_settings(), self._encoder
        inputs = [
            self._decoders.submit(prepare_photo, image, encoder, settings) for image in claim.images
        ]
        return _InWork(claim, inputs, self._network.submit(_encode, inputs, encoder))


def _finish(ahead: deque[_InWork]) -> BatchResult:
    """Store the oldest batch; it leaves `ahead` when it is stored."""
    batch = ahead[0]
    result = _store_outcomes(batch.claim, batch.outcomes.result())
    release(batch.claim)
    ahead.popleft()
    return result


def _abandon(ahead: deque[_InWork], give_back: Callable[[Claim], None]) -> None:
    for batch in ahead:
        for future in (*batch.inputs, batch.outcomes):
            future.cancel()
        give_back(batch.claim)


def _encode(futures: list[Future[Prepared | str]], encoder: Encoder) -> list[_Embedded | str]:
    """Each input's unit vector; a reason stays what it is."""
    inputs = [future.result() for future in futures]
    prepared = [item for item in inputs if not isinstance(item, str)]
    values = [part.values for item in prepared for part in (item, *item.garments)]
    vectors = iter(unit_vectors(encoder.encode(values)) if values else [])
    return [item if isinstance(item, str) else _embedded(item, vectors) for item in inputs]


def _embedded(item: Prepared, vectors: Iterator[np.ndarray | str]) -> _Embedded | str:
    """Takes the photo's vector and then its garments'; a garment without a direction is left."""
    vector = next(vectors)
    pairs = [(garment, next(vectors)) for garment in item.garments]
    garments = tuple(pair for pair in pairs if not isinstance(pair[1], str))
    return vector if isinstance(vector, str) else _Embedded(vector, item.found_by, garments)


def _store_outcomes(claim: Claim, outcomes: list[_Embedded | str]) -> BatchResult:
    """Store the results, waiting while an import holds the products."""
    for attempt in range(WRITE_RETRIES):
        try:
            with transaction.atomic():
                return _write(claim, outcomes)
        except OperationalError as error:
            is_locked = getattr(error.__cause__, "sqlstate", "") == "55P03"  # lock_not_available
            if not is_locked or attempt == WRITE_RETRIES - 1:
                raise
            time.sleep(0.5)
    raise AssertionError("the last attempt returns or raises")


def _write(claim: Claim, outcomes: list[_Embedded | str]) -> BatchResult:
    """Write what is still true: results of photos that changed or vanished are dropped."""
    unchanged = _lock_unchanged(claim)
    rows = [
        _outcome_row(row, outcome)
        for row, outcome in zip(claim.rows(), outcomes, strict=True)
        if row.image_id in unchanged
    ]
    garments = [
        _garment_row(row, outcome.found_by, garment, vector)
        for row, outcome in zip(claim.rows(), outcomes, strict=True)
        if row.image_id in unchanged and not isinstance(outcome, str)
        for garment, vector in outcome.garments
    ]
    _delete_stale_garments(claim, rows, garments)
    store(rows + garments)
    refresh_product_vectors(claim.backbone, list(unchanged.values()))
    n_ready = sum(row.state == Embedding.State.READY for row in rows)
    return BatchResult(n_ready, len(rows) - n_ready + claim.n_given_up)


def _outcome_row(row: Embedding, outcome: _Embedded | str) -> Embedding:
    if isinstance(outcome, str):
        row.state, row.error = Embedding.State.FAILED, outcome[:LONGEST_ERROR] or "unknown"
    else:
        row.state = Embedding.State.READY
        row.vector, row.found_by = outcome.vector, outcome.found_by
    return row


def _garment_row(
    row: Embedding, found_by: str, garment: PreparedGarment, vector: np.ndarray
) -> Embedding:
    """A garment's row beside its photo's, whose `row` was just claimed."""
    return Embedding(
        image=row.image,
        backbone=row.backbone,
        region=garment.region,
        box=garment.box,
        mask_method=row.mask_method,
        found_by=found_by,
        state=Embedding.State.READY,
        vector=vector,
        image_sha256=row.image_sha256,
        mask_fingerprint=row.mask_fingerprint,
        weights_sha256=row.weights_sha256,
    )


def _delete_stale_garments(
    claim: Claim, photos: list[Embedding], garments: list[Embedding]
) -> None:
    """Delete garments that these photos showed before and no longer do."""
    if not settings.FASHREC_GARMENTS:
        return
    shown = {(row.image_id, row.mask_method, row.region) for row in garments}
    stored = (
        Embedding.objects.filter(
            backbone=claim.backbone, image__in=[row.image_id for row in photos]
        )
        .exclude(region=WHOLE)
        .values_list("pk", "image_id", "mask_method", "region")
    )
    methods = {row.image_id: row.mask_method for row in photos}
    stale = [
        pk
        for pk, image_id, method, region in stored
        if method == methods[image_id] and (image_id, method, region) not in shown
    ]
    if stale:
        Embedding.objects.filter(pk__in=stale).delete()


def _lock_unchanged(claim: Claim) -> dict[int, int]:
    """Claimed photos that are what they were, and their products, locked against changes.

    Raises:
        WeightsChanged: the backbone is another one than when the batch was claimed.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(
            "SELECT weights_sha256 FROM embeddings_backbone WHERE id = %s FOR KEY SHARE",
            [claim.backbone.pk],
        )
        if cursor.fetchone() != (claim.backbone.weights_sha256,):
            raise WeightsChanged(f"{claim.backbone} was registered with other weights; run again")
        # Products before photos and each in key order, as everybody does who locks several.
        cursor.execute(
            """
            SELECT id FROM catalog_product
            WHERE id IN (SELECT product_id FROM catalog_productimage WHERE id = ANY(%s))
            ORDER BY id FOR SHARE
            """,
            [claim.image_ids],
        )
        cursor.execute(
            """
            SELECT id, product_id, sha256, segmentation_sha256 FROM catalog_productimage
            WHERE id = ANY(%s) ORDER BY id FOR SHARE
            """,
            [claim.image_ids],
        )
        todays = {pk: (product, *hashes) for pk, product, *hashes in cursor.fetchall()}
    return {
        row.image_id: todays[row.image_id][0]
        for row in claim.rows()
        if row.image_id in todays and _is_unchanged(row, *todays[row.image_id][1:])
    }


def _is_unchanged(row: Embedding, sha256: str, segmentation_sha256: str) -> bool:
    todays_mask = mask_fingerprint(row.mask_method, segmentation_sha256)
    return (row.image_sha256, row.mask_fingerprint) == (sha256, todays_mask)
