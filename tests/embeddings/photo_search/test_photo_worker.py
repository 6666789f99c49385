"""A real worker for photos, killed by one and killed half-way."""

import pytest

from embeddings.models import PhotoSearch
from embeddings.photo_search import private_files, services
from embeddings.photo_search.crops import CropBox
from embeddings.photo_search.tasks import search_by_photo
from tests.embeddings.photo_search.worlds import begun, embedded_catalogue, later, photo_worker
from tests.embeddings.worker_process import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
# The process dies over a crop of a photo, and keeps any other until it is killed.
SETUP = """
import os, signal, time
from embeddings.photo_search import tasks
def photo_vector(search):
    if search.crop:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)
tasks.photo_vector = photo_vector
"""


@pytest.fixture(autouse=True)
def catalogue():
    return embedded_catalogue(2)


def state(search):
    return PhotoSearch.objects.values_list("state", flat=True).get(pk=search.pk)


def test_a_deadly_photo_is_given_up_and_a_killed_workers_photo_is_deleted(tmp_path):
    deadly, endless = begun(crop=CropBox(0, 0, 1, 1)), begun()
    with photo_worker(tmp_path, SETUP) as worker:
        search_by_photo.delay(str(deadly.pk))
        wait_for(lambda: state(deadly) == "failed", worker)
        deadly.refresh_from_db()
        assert (deadly.attempts, deadly.error) == (2, services.WORKER_LOST)

        search_by_photo.delay(str(endless.pk))
        wait_for(lambda: state(endless) == "running", worker)
        worker.kill()
    assert private_files.path_of(endless.photo).exists()
    assert services.forget_expired(now=later(minutes=61)) == 2
    assert list(private_files.path_of("").iterdir()) == []
