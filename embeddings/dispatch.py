"""Having Celery workers embed what is missing, and watching the rows to see it happen."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app
from django.utils import timezone
from kombu.exceptions import OperationalError

from embeddings import services
from embeddings.models import Backbone, Embedding
from embeddings.querysets import EmbeddingQuerySet
from embeddings.queues import is_served
from embeddings.services import EmbeddingSummary, Progress
from embeddings.tasks import IMAGES_PER_TASK, embed_images

PING_SECONDS = 2.0  # with start-up, the command answers within five
POLL_SECONDS = 0.5
MAX_QUEUED_IMAGES = 16 * IMAGES_PER_TASK  # what an interrupted command leaves in the queue
STALL_SECONDS = 30.0  # loading torch and the weights takes a third of it
MAX_STALLS = 10


class NoWorkerError(RuntimeError):
    """Nobody would do the work; the message says what to do."""


def require_worker() -> None:
    """Return if a Celery worker that embeds answers; one for photos alone would not do it.

    Raises:
        NoWorkerError: none did within three seconds, or the queue cannot be reached.
    """
    with _queue_errors(), current_app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1)
        queue = current_app.conf.task_default_queue
        is_there = is_served(queue, timeout_seconds=PING_SECONDS, connection=connection)
    if not is_there:
        raise NoWorkerError(
            f"no Celery worker answered within {PING_SECONDS:g} s: start one with `make worker`, "
            "or embed in this process with --inline"
        )


def embed_by_workers(
    *, backbone: Backbone, mask_method: str | None, on_progress: Progress
) -> EmbeddingSummary:
    """Enqueue every photo without a current embedding and wait until all are settled.

    At most `MAX_QUEUED_IMAGES` are in the queue at once. `on_progress` gets (settled, all of them).

    Raises:
        NoWorkerError: no worker answers, at the start or after 30 s in which nothing happened.
    """
    require_worker()
    run = _Run(backbone, mask_method)
    while run.n_left:
        run.top_up()
        time.sleep(POLL_SECONDS)
        run.look()
        on_progress(run.n_total - run.n_left, run.n_total)
    return run.summary()


class _Run:
    """One command's work in the queue: photos up to `last` were enqueued, in ascending order."""

    def __init__(self, backbone: Backbone, mask_method: str | None) -> None:
        self.backbone, self.mask_method = backbone, mask_method
        self.missing = Embedding.objects.images_without(backbone, mask_method)
        self.batches = services.missing_ids(
            backbone=backbone, mask_method=mask_method, batch_size=IMAGES_PER_TASK
        )
        self.n_total = self.n_left = self.missing.count()
        self.n_queued = self.last = self.n_stalls = 0
        self.started = self.moved = time.monotonic()
        self.started_at = timezone.now()

    def top_up(self) -> None:
        """Enqueue batches until the queue holds its bound, or all is enqueued."""
        while self.n_queued < MAX_QUEUED_IMAGES and (ids := next(self.batches, None)):
            self._enqueue(ids)
            self.last = ids[-1]
            self.n_queued += len(ids)

    def look(self) -> None:
        """Count what is left; enqueue again what seems lost.

        Raises:
            NoWorkerError: nothing happened for long.
        """
        n_left = self.missing.count()
        self.n_queued = self.missing.filter(pk__lte=self.last).count()
        if n_left < self.n_left:
            self.moved, self.n_stalls = time.monotonic(), 0
        self.n_left = n_left
        if time.monotonic() - self.moved > STALL_SECONDS:
            self._recover()

    def summary(self) -> EmbeddingSummary:
        """What came of the run."""
        n_failed = failures(self.backbone).filter(updated_at__gte=self.started_at).count()
        seconds = time.monotonic() - self.started
        return EmbeddingSummary(self.n_total - n_failed, n_failed, seconds)

    def _enqueue(self, ids: list[int]) -> None:
        with _queue_errors():
            embed_images.delay(ids, self.backbone.name, self.mask_method)

    def _recover(self) -> None:
        require_worker()
        self.moved, self.n_stalls = time.monotonic(), self.n_stalls + 1
        if self.n_stalls > MAX_STALLS:
            raise NoWorkerError(
                f"{self.n_left} photos are left, workers answer, and nothing happened for "
                f"{MAX_STALLS * STALL_SECONDS:g} s: see the worker's log, or use --inline"
            )
        self.batches = services.missing_ids(
            backbone=self.backbone, mask_method=self.mask_method, batch_size=IMAGES_PER_TASK
        )
        self.last = self.n_queued = 0


def failures(backbone: Backbone) -> EmbeddingQuerySet:
    """Today's photos that the backbone could not embed, with their reasons."""
    return Embedding.objects.up_to_date().of(backbone).filter(state=Embedding.State.FAILED)


@contextmanager
def _queue_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, OSError) as error:
        raise NoWorkerError(
            f"the task queue cannot be reached ({error}): start Redis or correct REDIS_URL, "
            "or embed in this process with --inline"
        ) from error
