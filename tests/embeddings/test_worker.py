"""A real Celery worker: killed half-way and resumed, and met by a photo that kills it."""

import pytest
from celery import current_app
from django.core.management import call_command

from embeddings import services
from embeddings.models import Embedding, ProductVector
from embeddings.tasks import embed_images, enqueue_missing
from tests.embeddings.drawn_photos import photo_of
from tests.embeddings.worker_process import DEADLY, WorkerProcess, wait_for
from tests.factories import ProductImageFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start_worker(tmp_path):
    """`start_worker(setup)`: a worker that answers, ended after the test; the queue is empty."""
    current_app.control.purge()
    workers = []

    def start(setup=""):
        workers.append(WorkerProcess(tmp_path, setup))
        return workers[-1].wait_until_ready()

    yield start
    for worker in workers:
        worker.stop()
    current_app.control.purge()


def enqueue_in_batches(backbone, batch_size):
    for ids in services.missing_ids(backbone=backbone, batch_size=batch_size):
        embed_images.delay(ids, backbone.name)


def n_ready():
    return Embedding.objects.filter(state="ready").count()


def test_a_worker_killed_half_way_and_started_again_embeds_every_photo_once(start_worker):
    backbone = services.register_backbone(name="color_layout")
    for seed in range(60):  # each takes the descriptor tens of milliseconds
        ProductImageFactory(content=photo_of(seed, size=(1500, 2000)))
    worker = start_worker()
    enqueue_in_batches(backbone, batch_size=10)
    wait_for(lambda: n_ready() >= 10, worker)

    worker.kill()
    n_before = n_ready()
    finished = dict(Embedding.objects.filter(state="ready").values_list("pk", "updated_at"))
    again = start_worker()
    enqueue_missing()  # as beat does every minute
    wait_for(lambda: n_ready() == 60, again)

    assert 10 <= n_before < 60
    assert Embedding.objects.count() == 60
    assert Embedding.objects.current().count() == 60
    assert ProductVector.objects.count() == 60
    untouched = Embedding.objects.filter(pk__in=finished).values_list("pk", "updated_at")
    assert dict(untouched) == finished


def test_a_photo_that_kills_its_process_is_given_up_after_three_and_the_others_go_on(start_worker):
    backbone = services.register_backbone(name="color_layout")
    images = [ProductImageFactory(content=photo_of(seed)) for seed in range(5)]
    deadly = ProductImageFactory(content=photo_of(9, size=(13, 13)))
    images += [ProductImageFactory(content=photo_of(seed)) for seed in range(20, 23)]
    worker = start_worker(DEADLY)

    def all_settled():
        enqueue_missing()
        return not Embedding.objects.images_without(backbone).exists()

    enqueue_in_batches(backbone, batch_size=64)
    wait_for(all_settled, worker)

    row = Embedding.objects.get(image=deadly)
    assert (row.state, row.error, row.attempts) == ("failed", "worker lost", 3)
    assert n_ready() == len(images)


def test_the_command_follows_the_worker_and_reports_failures(start_worker, capsys):
    for seed in range(3):
        ProductImageFactory(content=photo_of(seed))
    broken = ProductImageFactory(content=b"no photo")
    start_worker()

    call_command("embed_products", backbone=["color_layout"])
    first = capsys.readouterr()
    call_command("embed_products", backbone=["color_layout"])
    second = capsys.readouterr()

    assert first.out.startswith("color_layout: 3 photos embedded, 1 failed in ")
    assert f"  {broken.product.item_id} (front): not an image of a known kind" in first.err
    assert "color_layout: 1 failed; --retry-failed tries them again." in first.err
    assert second.out == "color_layout: nothing is missing (3 embeddings).\n"
    assert n_ready() == 3
