"""Claims: a process says which photos it embeds before it does, so that none is done twice.

A claim is two things. A session-level advisory lock per photo keeps other processes off it, and
PostgreSQL drops it the moment the process dies. A row in state `started`, with its attempts counted
before the work begins, outlives the process: whoever finds it without a lock knows that it was
lost, and after three losses the photo is `failed: worker lost`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Q

from catalog.models import ProductImage
from embeddings.models import Backbone, Embedding
from embeddings.querysets import WHOLE, EmbeddingQuerySet, MaskMethod, mask_fingerprint
from embeddings.staging import store

MAX_ATTEMPTS = 3
WORKER_LOST = "worker lost"
LOCK = "hashtextextended('embed ' || %s || ' ' || id, 0)"


@dataclass(frozen=True)
class Claim:
    """Photos that this process embeds now, as they were when it claimed them."""

    backbone: Backbone
    images: list[ProductImage]  # with `mask_method`
    attempts: dict[int, int]  # by photo, this one counted
    n_given_up: int = 0  # photos that were failed now, as too many processes were lost over them

    @property
    def image_ids(self) -> list[int]:
        """The claimed photos' keys."""
        return [image.pk for image in self.images]

    def rows(self) -> list[Embedding]:
        """A row per photo with what its embedding is made from, and nothing else yet."""
        return [
            Embedding(
                image=image,
                backbone=self.backbone,
                region=WHOLE,
                mask_method=image.mask_method,
                image_sha256=image.sha256,
                mask_fingerprint=mask_fingerprint(image.mask_method, image.segmentation_sha256),
                weights_sha256=self.backbone.weights_sha256,
                attempts=self.attempts[image.pk],
            )
            for image in self.images
        ]


def claim_images(image_ids: Iterable[int], *, backbone: Backbone, mask_method: str | None) -> Claim:
    """Claim those of the photos that lack a current embedding and that nobody else works on."""
    locked = _lock(backbone, list(image_ids))
    missing = Embedding.objects.images_without(backbone, mask_method).filter(pk__in=locked)
    with transaction.atomic():
        images = list(missing)
        lost = dict(_lost_rows(backbone, images).values_list("image_id", "attempts"))
        hopeless = [image for image in images if lost.get(image.pk, 0) >= MAX_ATTEMPTS]
        hopeful = [image for image in images if lost.get(image.pk, 0) < MAX_ATTEMPTS]
        attempts = {image.pk: lost.get(image.pk, 0) + 1 for image in hopeful}
        claim = Claim(backbone, hopeful, attempts, n_given_up=len(hopeless))
        store(_in_state(claim.rows(), Embedding.State.STARTED))
        given_up = Claim(backbone, hopeless, lost).rows()
        store(_in_state(given_up, Embedding.State.FAILED, WORKER_LOST))
    _unlock(backbone, [pk for pk in locked if pk not in attempts])
    return claim


def release(claim: Claim) -> None:
    """Let others have the photos; for use when their results are stored, or never will be."""
    _unlock(claim.backbone, claim.image_ids)


def withdraw(claim: Claim) -> None:
    """Release a claim whose work was stopped on purpose: it does not count as an attempt."""
    _lost_rows(claim.backbone, claim.images).update(attempts=F("attempts") - 1)
    release(claim)


def plan_batches(
    image_ids: list[int], backbone: Backbone, batch_size: int
) -> Iterator[tuple[list[int], bool]]:
    """The photos in batches, each with whether it must run alone.

    A photo that a process was lost over runs alone and after the others, so that one that kills
    its process does not take their attempts with it.
    """
    suspects = list(
        Embedding.objects.lost()
        .of(backbone)
        .filter(image__in=image_ids)
        .order_by("attempts", "image_id")
        .values_list("image_id", flat=True)
    )
    innocent = [pk for pk in image_ids if pk not in set(suspects)]
    for start in range(0, len(innocent), batch_size):
        yield innocent[start : start + batch_size], False
    for pk in suspects:
        yield [pk], True


def _lost_rows(backbone: Backbone, images: list[ProductImage]) -> EmbeddingQuerySet:
    """Begun and unfinished embeddings of the photos by the mask methods they are wanted by."""
    wanted = Q(pk__in=[])
    for method in MaskMethod:
        ids = [image.pk for image in images if image.mask_method == method]
        wanted |= Q(mask_method=method, image__in=ids)
    return Embedding.objects.lost().of(backbone).filter(wanted)


def _in_state(rows: list[Embedding], state: str, error: str = "") -> list[Embedding]:
    for row in rows:
        row.state, row.error = state, error
    return rows


def _lock(backbone: Backbone, image_ids: list[int]) -> list[int]:
    """Lock what nobody else has locked; what was locked, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM unnest(%s::bigint[]) AS id WHERE pg_try_advisory_lock({LOCK})",  # noqa: S608
            [sorted(set(image_ids)), backbone.pk],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _unlock(backbone: Backbone, image_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_advisory_unlock({LOCK}) FROM unnest(%s::bigint[]) AS id",  # noqa: S608
            [backbone.pk, image_ids],
        )
