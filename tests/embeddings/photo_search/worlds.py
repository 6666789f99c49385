"""A few products whose drawn photos are embedded by the descriptor that needs no weights."""

from contextlib import contextmanager
from datetime import timedelta

from celery import current_app
from django.utils import timezone

from embeddings import services as embedding
from embeddings.photo_search import services
from embeddings.photo_search.services import NewPhoto
from embeddings.photo_search.tasks import QUEUE
from tests.embeddings.drawn_photos import photo_of
from tests.embeddings.worker_process import WorkerProcess
from tests.factories import ProductFactory, ProductImageFactory

SIZE = (48, 64)


def embedded_catalogue(n_products=4):
    """Products named by the seeds of their photos, with vectors by color_layout."""
    for seed in range(n_products):
        product = ProductFactory(item_id=str(seed), gender=("WOMEN", "MEN")[seed % 2])
        ProductImageFactory(product=product, content=photo_of(seed, SIZE))
    backbone = embedding.register_backbone(name="color_layout")
    embedding.embed_missing(backbone=backbone)
    return backbone


def begun(content=None, *, asker="user:1", crop=None, now=None, map_content=None):
    """A search that waits for a worker."""
    photo = NewPhoto(content or photo_of(2, SIZE), map_content)
    return services.begin_search(asker=asker, photo=photo, crop=crop, now=now or timezone.now())


def later(**time):
    """So long from now."""
    return timezone.now() + timedelta(**time)


@contextmanager
def photo_worker(home, setup=""):
    """A real worker that serves photos and nothing else; `setup` is Python that it runs first."""
    empty_queue()
    worker = WorkerProcess(home, setup, name="photos", queue=QUEUE)
    try:
        yield worker.wait_until_ready()
    finally:
        worker.stop()
        empty_queue()


def empty_queue():
    """Drop what earlier tests sent."""
    with current_app.connection_for_write() as connection:
        connection.default_channel.queue_purge(QUEUE)
