"""Celery tasks: they carry keys, find their work by what is missing, and may run twice.

PostgreSQL is the truth: a task that is lost is enqueued again by beat, one that comes twice finds
its photos done or locked.
"""

import os

from celery import Celery, shared_task
from celery.signals import worker_init

from catalog.task_queue import enqueue
from embeddings import services
from embeddings.duplicates.tasks import find_duplicates  # noqa: F401 - for Celery
from embeddings.indexes import ensure_search_indexes
from embeddings.models import Backbone
from embeddings.photo_search.tasks import QUEUE as PHOTO_QUEUE
from embeddings.serving import refresh_product_vectors

IMAGES_PER_TASK = 256  # four batches: one is decoded while another is encoded or stored
TASKS_PER_BEAT = 25
BEAT_SECONDS = 60
# For 256 photos, of vgg16 in fp32 if need be, and a fidelity check; a child that hangs longer is
# killed. Shorter than the broker's visibility timeout.
HARD_LIMIT_SECONDS = 540


@worker_init.connect
def share_cores(sender: Celery, **_: object) -> None:
    """Divide the cores among the pool's processes; torch reads this when it is first imported.

    A worker for photos takes half of them, and leaves the rest to whoever reads.
    """
    n_threads = (os.cpu_count() or 1) // max(1, int(sender.concurrency))
    if PHOTO_QUEUE in sender.app.amqp.queues.consume_from:
        n_threads //= 2
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, n_threads)))


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def embed_images(image_ids: list[int], backbone_name: str, mask_method: str | None = None) -> None:
    """Embed those of the photos that still lack a current embedding."""
    backbone = Backbone.objects.filter(name=backbone_name).first()
    if backbone is not None:
        services.embed_images(image_ids=image_ids, backbone=backbone, mask_method=mask_method)


@shared_task(time_limit=HARD_LIMIT_SECONDS)
def enqueue_missing() -> None:
    """Enqueue what active backbones still lack, a bounded number of batches; beat calls this.

    The messages expire when the next ones are due, so that a slow worker's queue does not grow.
    """
    for backbone in Backbone.objects.filter(is_active=True):
        batches = services.missing_ids(backbone=backbone, batch_size=IMAGES_PER_TASK)
        n_enqueued = 0
        for n_enqueued, ids in enumerate(batches, start=1):
            sent = enqueue(embed_images, ids, backbone.name, expires_seconds=BEAT_SECONDS)
            if not sent or n_enqueued == TASKS_PER_BEAT:
                break
        if n_enqueued == 0:
            refresh_product_vectors(backbone)
            enqueue(build_search_indexes, backbone.name, expires_seconds=BEAT_SECONDS)


@shared_task(time_limit=6 * 3600)
def build_search_indexes(backbone_name: str) -> None:
    """Build the backbone's missing or half-built vector indexes."""
    backbone = Backbone.objects.filter(name=backbone_name).first()
    if backbone is not None:
        ensure_search_indexes(backbone)
