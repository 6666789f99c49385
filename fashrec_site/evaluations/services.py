"""Ask for an evaluation, run it with its progress in its row, give up what kills its worker."""

import time
from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from fashrec_site.evaluations.models import MAX_ATTEMPTS, OPEN, EvaluationJob
from recommender.ranking import RankingError

TOLD_EVERY_SECONDS = 0.5


class AlreadyAskedError(Exception):
    """One is waiting or running."""


def ask_for_evaluation(*, by: User, k: int, now: datetime) -> EvaluationJob:
    """A job for a worker to find; the caller tells the queue.

    Raises:
        AlreadyAskedError: another one is not done.
    """
    try:
        with transaction.atomic():
            return EvaluationJob.objects.create(asked_by=by, k=k, asked_at=now, alive_at=now)
    except IntegrityError as error:
        if EvaluationJob.objects.filter(state__in=OPEN).exists():
            raise AlreadyAskedError("An evaluation is waiting or running already.") from error
        raise


def run_evaluation(*, job_id: int) -> None:
    """Run the job, if it is still to do and nobody else runs it; its row tells how it goes."""
    now = timezone.now()
    claimed = EvaluationJob.objects.to_do(now).filter(pk=job_id, attempts__lt=MAX_ATTEMPTS)
    if not claimed.update(state="running", alive_at=now, attempts=F("attempts") + 1):
        return
    # Only a worker with such a job needs the charts, which take a second or two to load.
    from recommender.evaluation.candidates import EvaluationError
    from recommender.evaluation.folders import ReportFolderError
    from recommender.evaluation.services import evaluate

    job = EvaluationJob.objects.get(pk=job_id)
    try:
        run = evaluate(k=job.k, on_progress=_teller(job_id))
    except (EvaluationError, ReportFolderError, RankingError) as error:
        _settle(job_id, state="failed", error=str(error)[:500])
    except Exception as error:
        _settle(job_id, state="failed", error=f"{type(error).__name__}: see the worker's log")
        raise
    else:
        _settle(job_id, state="ready", run=run)


def give_up_lost(*, now: datetime) -> int:
    """Fail what lost its worker time and again; how many."""
    return (
        EvaluationJob.objects.to_do(now)
        .filter(attempts__gte=MAX_ATTEMPTS)
        .update(state="failed", error="worker lost", finished_at=now)
    )


def _teller(job_id: int) -> Callable[[str, int, int], None]:
    """Writes the stage into the row, each new one at once and its steps now and then."""
    told = {"stage": "", "at": 0.0}

    def tell(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage == told["stage"] and done < total and now - told["at"] < TOLD_EVERY_SECONDS:
            return
        told.update(stage=stage, at=now)
        EvaluationJob.objects.filter(pk=job_id).update(
            stage=stage[:100], n_done=done, n_steps=total, alive_at=timezone.now()
        )

    return tell


def _settle(job_id: int, **values: object) -> None:
    EvaluationJob.objects.filter(pk=job_id).update(finished_at=timezone.now(), **values)
