"""Ask for a change of many products, do it chunk by chunk, stop it, give up what kills workers."""

import time
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalog.models import Category
from fashrec_site.product_jobs.changes import CategoryGoneError, change_products
from fashrec_site.product_jobs.models import MAX_ATTEMPTS, ProductJob

CHUNK = 500  # products; each chunk is a transaction, whose locks others may wait for
TURN_SECONDS = 30.0  # then others' tasks have their turn


def ask_for_change(
    *,
    by: User,
    kind: str,
    product_ids: Sequence[int],
    category: Category | None = None,
    now: datetime,
) -> ProductJob:
    """A job for a worker to find; the caller tells the queue."""
    return ProductJob.objects.create(
        asked_by=by,
        asked_at=now,
        kind=kind,
        category=category,
        product_ids=list(product_ids),
        n_products=len(product_ids),
    )


def run_job(*, job_id: int, turn_seconds: float = TURN_SECONDS) -> bool:
    """Do chunks of a job for a turn, if it is to do and nobody else does; whether more is left.

    May be killed anywhere: whoever comes next goes on behind the last chunk that was committed.
    """
    now = timezone.now()
    claimed = ProductJob.objects.to_do(now).filter(pk=job_id, attempts__lt=MAX_ATTEMPTS)
    if not claimed.update(state="running", alive_at=now, attempts=F("attempts") + 1):
        return False
    ProductJob.objects.filter(pk=job_id, started_at=None).update(started_at=now)
    end = time.monotonic() + turn_seconds
    try:
        while _do_chunk(job_id):
            if time.monotonic() > end:
                running = ProductJob.objects.filter(pk=job_id, state="running")
                return bool(running.update(state="waiting"))
    except CategoryGoneError as error:
        _fail(job_id, str(error))
    return False


def stop_job(*, job_id: int, now: datetime) -> bool:
    """Do no further chunk; what is done stays done. False where there was nothing to stop."""
    open_ones = ProductJob.objects.filter(pk=job_id, state__in=("waiting", "running"))
    return bool(open_ones.update(state="stopped", finished_at=now))


def give_up_lost(*, now: datetime) -> int:
    """Fail what lost its worker time and again; how many."""
    return (
        ProductJob.objects.to_do(now)
        .filter(attempts__gte=MAX_ATTEMPTS)
        .update(state="failed", error="worker lost", finished_at=now)
    )


@transaction.atomic
def _do_chunk(job_id: int) -> bool:
    """Change the next products and count them, both or neither; whether more is left.

    The lock keeps two workers, of which one was thought lost, from doing the same chunk.
    """
    job = ProductJob.objects.without_products().select_for_update(of=("self",)).get(pk=job_id)
    if job.state != ProductJob.State.RUNNING:
        return False
    ids = _chunk_of(job)
    job.n_changed += change_products(kind=job.kind, product_ids=ids, category=job.category)
    job.n_done += len(ids)
    job.alive_at, job.attempts = timezone.now(), 0
    if job.n_done == job.n_products:
        job.state, job.finished_at = ProductJob.State.READY, job.alive_at
    job.save(update_fields=["n_changed", "n_done", "alive_at", "attempts", "state", "finished_at"])
    return job.state == ProductJob.State.RUNNING


def _chunk_of(job: ProductJob) -> list[int]:
    """The next keys; the database takes them out of the long array."""
    part = f"product_ids__{job.n_done}_{job.n_done + CHUNK}"
    return ProductJob.objects.filter(pk=job.pk).values_list(part, flat=True).get()


def _fail(job_id: int, error: str) -> None:
    ProductJob.objects.filter(pk=job_id).update(
        state="failed", error=error[:500], finished_at=timezone.now()
    )
