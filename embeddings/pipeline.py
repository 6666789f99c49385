"""From claimed photos to stored embeddings: decoding in threads, ahead of the network."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from django.db import OperationalError, connection, transaction

from catalog.models import ProductImage
from embeddings.claims import Claim, claim_images, release, store, withdraw
from embeddings.encoders import Encoder, unit_vectors
from embeddings.mask_settings import current_mask_settings
from embeddings.masks import MaskError, MaskSettings, garment_coverage
from embeddings.models import Backbone, Embedding
from embeddings.photos import PhotoError, read_reduced, read_segmentation_map
from embeddings.querysets import MaskMethod, mask_fingerprint
from embeddings.serving import refresh_product_vectors

BATCH_SIZE = 32
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
class _Decoding:
    """A claimed batch whose photos are being decoded and masked."""

    claim: Claim
    inputs: list[Future[np.ndarray | str]]  # a photo's input, or the reason why it has none


def embed_batches(
    batches: Iterable[tuple[list[int], bool]],
    *,
    encoder: Encoder,
    backbone: Backbone,
    mask_method: str | None,
) -> Iterator[BatchResult]:
    """Embed batches of photos, decoding each while the network has the one before.

    At most two batches of decoded photos are in memory. A batch that must run alone is claimed when
    the ones before are stored. Stopped half-way, what is unfinished is nobody's again.

    Raises:
        WeightsChanged: the backbone was registered with other weights meanwhile.
    """
    ahead: deque[_Decoding] = deque()
    with ThreadPoolExecutor(max_workers=cpu_count(), thread_name_prefix="decode") as decoders:
        try:
            for image_ids, is_alone in batches:
                while ahead and is_alone:
                    yield _finish(ahead, encoder)
                claim = claim_images(image_ids, backbone=backbone, mask_method=mask_method)
                ahead.append(_start(claim, encoder, decoders))
                while len(ahead) > (0 if is_alone else 1):
                    yield _finish(ahead, encoder)
            while ahead:
                yield _finish(ahead, encoder)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            _abandon(ahead, withdraw)
            raise
        except BaseException:
            _abandon(ahead, release)
            raise


class WeightsChanged(RuntimeError):  # noqa: N818 - what happened, not an error of the caller
    """The backbone was registered with other weights while photos were embedded with the old."""


def _start(claim: Claim, encoder: Encoder, decoders: ThreadPoolExecutor) -> _Decoding:
    settings = current_mask_settings()
    inputs = [decoders.submit(_prepare, image, encoder, settings) for image in claim.images]
    return _Decoding(claim, inputs)


def _finish(ahead: deque[_Decoding], encoder: Encoder) -> BatchResult:
    """Encode and store the oldest batch; it leaves `ahead` when it is stored."""
    decoding = ahead[0]
    outcomes = _encode([future.result() for future in decoding.inputs], encoder)
    result = _store_outcomes(decoding.claim, outcomes)
    release(decoding.claim)
    ahead.popleft()
    return result


def _abandon(ahead: deque[_Decoding], give_back: Callable[[Claim], None]) -> None:
    for decoding in ahead:
        for future in decoding.inputs:
            future.cancel()
        give_back(decoding.claim)


def _prepare(image: ProductImage, encoder: Encoder, settings: MaskSettings) -> np.ndarray | str:
    """The photo's input, or why there is none; runs in a thread and touches no database."""
    try:
        with image.image.storage.open(image.image.name) as file:
            photo = read_reduced(file, encoder.decode_side)
        coverage = None
        if image.mask_method == MaskMethod.SEGMENTATION_MAP:
            stored = image.segmentation_map
            with stored.storage.open(stored.name) as file:
                coverage = garment_coverage(read_segmentation_map(file), photo, settings)
        return encoder.prepare(photo, coverage, settings)
    except FileNotFoundError as error:
        return f"file missing: {error.filename}"
    except (PhotoError, MaskError) as error:
        return str(error)
    except (OSError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


def _encode(inputs: list[np.ndarray | str], encoder: Encoder) -> list[np.ndarray | str]:
    """Each input's unit vector; a reason stays what it is."""
    prepared = [item for item in inputs if not isinstance(item, str)]
    vectors = iter(unit_vectors(encoder.encode(prepared)) if prepared else [])
    return [item if isinstance(item, str) else next(vectors) for item in inputs]


def _store_outcomes(claim: Claim, outcomes: list[np.ndarray | str]) -> BatchResult:
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


def _write(claim: Claim, outcomes: list[np.ndarray | str]) -> BatchResult:
    """Write what is still true: results of photos that changed or vanished are dropped."""
    unchanged = _lock_unchanged(claim)
    rows = [
        _outcome_row(row, outcome)
        for row, outcome in zip(claim.rows(), outcomes, strict=True)
        if row.image_id in unchanged
    ]
    store(rows)
    refresh_product_vectors(claim.backbone, list(unchanged.values()))
    n_ready = sum(row.state == Embedding.State.READY for row in rows)
    return BatchResult(n_ready, len(rows) - n_ready + claim.n_given_up)


def _outcome_row(row: Embedding, outcome: np.ndarray | str) -> Embedding:
    if isinstance(outcome, str):
        row.state, row.error = Embedding.State.FAILED, outcome[:LONGEST_ERROR] or "unknown"
    else:
        row.state, row.vector = Embedding.State.READY, outcome
    return row


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
