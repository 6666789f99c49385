"""Two real worker processes on one queue: together they embed every photo exactly once."""

import pytest
from celery import current_app

from embeddings import services
from embeddings.models import Embedding, ProductVector
from embeddings.tasks import embed_images
from tests.embeddings.drawn_photos import photo_of
from tests.embeddings.worker_process import WorkerProcess, wait_for
from tests.factories import ProductImageFactory

pytestmark = pytest.mark.django_db(transaction=True)

N_PHOTOS, BATCH_SIZE = 40, 5
N_TASKS = 2 * N_PHOTOS // BATCH_SIZE
# Each worker writes down how many photos it embedded in each task.
TOLD = """
import pathlib
from embeddings import services
embed_images = services.embed_images
def told(**options):
    summary = embed_images(**options)
    with pathlib.Path({file!r}).open("a") as file:
        print(summary.n_ready, file=file)
    return summary
services.embed_images = told
"""


@pytest.fixture
def two_workers(tmp_path):
    """Two workers that answer, and for each the file of what it did."""
    current_app.control.purge()
    files = [tmp_path / f"{name}.done" for name in ("first", "second")]
    workers = [WorkerProcess(tmp_path, TOLD.format(file=str(f)), name=f.stem) for f in files]
    wait_for(lambda: len(current_app.control.ping(timeout=1) or []) == 2, workers[0])
    yield workers, files
    for worker in workers:
        worker.stop()
    current_app.control.purge()


def done(file):
    """How many photos each of a worker's tasks embedded."""
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_two_workers_share_the_photos_and_no_photo_is_embedded_twice(two_workers):
    workers, files = two_workers
    backbone = services.register_backbone(name="color_layout")
    for seed in range(N_PHOTOS):  # each takes the descriptor tens of milliseconds
        ProductImageFactory(content=photo_of(seed, size=(1500, 2000)))

    for ids in services.missing_ids(backbone=backbone, batch_size=BATCH_SIZE):
        for _ in range(2):  # as a broker may deliver, and to both at about the same moment
            embed_images.delay(ids, backbone.name)
    wait_for(lambda: sum(len(done(file)) for file in files) == N_TASKS, workers[0])

    embedded = [sum(done(file)) for file in files]
    assert sum(embedded) == N_PHOTOS
    assert min(embedded) > 0
    assert Embedding.objects.current().count() == N_PHOTOS
    assert set(Embedding.objects.values_list("attempts", flat=True)) == {1}
    assert ProductVector.objects.count() == N_PHOTOS
