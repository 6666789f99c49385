"""Celery tasks of the search by photo, on a queue of their own.

A worker that serves this queue and no other answers while products are embedded, and a flood of
photos takes no thread from whoever reads.
"""

from celery import Celery, shared_task
from celery.signals import worker_init, worker_ready
from celery.worker.consumer import Consumer
from django.utils import timezone

from catalog.niceness import give_way
from catalog.task_queue import enqueue
from embeddings.photo_search import services
from embeddings.photo_search.embedding import photo_encoder, photo_vector
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.preference import best_backbone_with_vectors

QUEUE = "photo_search"  # where CELERY_TASK_ROUTES sends the first two
EXPIRES_SECONDS = 40  # nobody waits longer: see querysets.GIVE_UP_AFTER
HARD_LIMIT_SECONDS = 30
NICENESS = 5  # a third of the share of the cores that whoever reads has, where both want them


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def search_by_photo(search_id: str) -> None:
    """Make the photo a vector; a second delivery finds it done."""
    search = services.claim(search_id=search_id, now=timezone.now())
    if search is None:
        return
    try:
        outcome = photo_vector(search)
    except PhotoRefused as refusal:
        outcome = refusal
    except MemoryError:
        outcome = PhotoRefused("UNAVAILABLE", "There was no memory for the photo; try again later.")
    services.settle(
        search_id=search_id, outcome=outcome, weights_sha256=search.backbone.weights_sha256
    )


@worker_init.connect
def let_readers_go_first(sender: Celery, **_: object) -> None:
    """A worker that serves photos alone waits for those who read, where cores are few."""
    if set(sender.app.amqp.queues.consume_from) == {QUEUE}:
        give_way(NICENESS)


@worker_ready.connect
def load_ahead(sender: Consumer, **_: object) -> None:
    """Let a worker that has just started load the backbone before the first photo comes."""
    if QUEUE in sender.app.amqp.queues.consume_from:
        enqueue(load_backbone, expires_seconds=EXPIRES_SECONDS)


@shared_task(time_limit=300)
def load_backbone() -> None:
    """Load what photos will be compared by, so that the first one need not wait for it."""
    backbone = best_backbone_with_vectors()
    if backbone is not None:
        try:
            photo_encoder(backbone)
        except PhotoRefused:
            return  # every search will say so, with the reason


@shared_task(time_limit=60)
def forget_expired_photos() -> None:
    """Delete searches and photos whose hour is over; beat calls this."""
    services.forget_expired(now=timezone.now())
