"""What can be done with a search by photo: begin it, claim, settle and forget it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F

from embeddings.models import Backbone
from embeddings.photo_search import private_files
from embeddings.photo_search.crops import CropBox
from embeddings.photo_search.models import PhotoSearch
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.preference import best_backbone_with_vectors

KEPT_FOR = timedelta(hours=1)
SWEEP_SECONDS = 60  # between two looks at all files, also where beat does not run
MAX_IN_WORK = 2
MAX_ATTEMPTS = 2  # a photo that kills its process twice is not tried again
RETRY_AFTER_SECONDS = 2
LONGEST_ERROR = 500  # characters, as the column holds
State = PhotoSearch.State


@dataclass(frozen=True)
class NewPhoto:
    """A checked upload: its bytes, and those of its segmentation map where there is one."""

    content: bytes
    map_content: bytes | None = None


def begin_search(
    *, asker: str, photo: NewPhoto | PhotoSearch, crop: CropBox | None, now: datetime
) -> PhotoSearch:
    """A search that waits for a worker; whoever calls enqueues its task.

    Of an earlier search it takes the photo, which then lives no longer than it would have.

    Raises:
        PhotoRefused: UNAVAILABLE without any product vector, RATE_LIMITED while two are in work.
    """
    if cache.add("photo_searches:swept", True, SWEEP_SECONDS):
        forget_expired(now=now)
    backbone = best_backbone_with_vectors()
    if backbone is None:
        raise PhotoRefused("UNAVAILABLE", "No product is embedded yet, so none can be found.")
    search = PhotoSearch(
        asker=asker,
        crop=crop and crop.sides(),
        backbone=backbone,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    if isinstance(photo, PhotoSearch):
        search.photo, search.expires_at = photo.photo, photo.expires_at
        search.has_map, search.is_reencoded = photo.has_map, photo.is_reencoded
        _admit(search, now)
        return search
    search.photo, search.has_map = private_files.new_name(), photo.map_content is not None
    _admit(search, now)
    _store(search, photo)
    return search


def _admit(search: PhotoSearch, now: datetime) -> None:
    """Insert the row, unless as many are in work as may be; one request at a time."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('embeddings: photo searches'))")
        refuse_beyond_two(now)
        search.save(force_insert=True)


def refuse_beyond_two(now: datetime) -> None:
    """Let nobody pass while as many searches are in work as may be. One query.

    Raises:
        PhotoRefused: RATE_LIMITED.
    """
    if PhotoSearch.objects.in_work(now).count() >= MAX_IN_WORK:
        raise PhotoRefused(
            "RATE_LIMITED",
            f"{MAX_IN_WORK} photos are being searched for; try again in {RETRY_AFTER_SECONDS} s.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )


def _store(search: PhotoSearch, photo: NewPhoto) -> None:
    """Write the files; outside the transaction, which others wait for."""
    try:
        private_files.store(search.photo, photo.content)
        if photo.map_content is not None:
            private_files.store(search.photo + private_files.MAP_SUFFIX, photo.map_content)
    except OSError as error:
        forget(search)
        message = f"The photo could not be stored: {error.strerror}."
        raise PhotoRefused("UNAVAILABLE", message) from error


def claim(*, search_id: str, now: datetime) -> PhotoSearch | None:
    """The search for a worker to do, its attempt counted; None where there is nothing to do.

    One that was claimed before was lost with its worker, and is settled after the second loss.
    """
    alive = PhotoSearch.objects.alive(now).in_work(now).filter(pk=search_id)
    if alive.filter(attempts__gte=MAX_ATTEMPTS).exists():
        settle(search_id=search_id, outcome=PhotoRefused("UNAVAILABLE", WORKER_LOST))
        return None
    if not alive.update(state=State.RUNNING, attempts=F("attempts") + 1):
        return None
    return PhotoSearch.objects.select_related("backbone").filter(pk=search_id).first()


WORKER_LOST = "The process that looked at the photo was lost twice; try another photo."
NOBODY_CAME = "Nobody came to look at the photo: is a worker for photos running (make worker)?"


def settle(*, search_id: str, outcome: np.ndarray | PhotoRefused, weights_sha256: str = "") -> bool:
    """Store the vector, (dimension,) float32 of length 1, or the reason; whether it was awaited.

    An upload that comes to nothing is deleted at once, as it was never stripped to its pixels.
    """
    unsettled = PhotoSearch.objects.unsettled().filter(pk=search_id)
    if not isinstance(outcome, PhotoRefused):
        return bool(
            unsettled.update(state=State.READY, vector=outcome, weights_sha256=weights_sha256)
        )
    is_settled = unsettled.update(
        state=State.FAILED, error_code=outcome.code, error=str(outcome)[:LONGEST_ERROR]
    )
    if is_settled:
        for upload in PhotoSearch.objects.filter(pk=search_id, is_reencoded=False):
            private_files.delete(upload.photo)
    return bool(is_settled)


def find_search(*, search_id: str, askers: set[str], now: datetime) -> PhotoSearch | None:
    """The search of one of these askers; None for any other, and for one whose hour is over."""
    search = (
        PhotoSearch.objects.using("default")  # a replica may not know of it yet
        .alive(now)
        .select_related("backbone")
        .filter(pk=search_id, asker__in=askers)
        .first()
    )
    if search and search.is_given_up(now):
        settle(search_id=search.pk, outcome=PhotoRefused("UNAVAILABLE", NOBODY_CAME))
        search.refresh_from_db()
    return search


def is_comparable(search: PhotoSearch) -> bool:
    """Whether its vector and the products' are of the same weights."""
    backbone: Backbone = search.backbone
    return search.weights_sha256 == backbone.weights_sha256


def forget(search: PhotoSearch) -> None:
    """Delete a search and its photo now."""
    private_files.delete(search.photo)
    PhotoSearch.objects.filter(pk=search.pk).delete()


def forget_expired(*, now: datetime) -> int:
    """Delete the searches whose hour is over, photos first, and files that no row knows of."""
    expired = list(PhotoSearch.objects.expired(now).only("photo"))
    for search in expired:
        forget(search)
    private_files.delete_older_than(KEPT_FOR.total_seconds())
    return len(expired)
