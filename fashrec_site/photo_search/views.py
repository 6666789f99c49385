"""`POST /search/photo` and the place where its answer is asked for again."""

import time
import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from kombu.exceptions import OperationalError

from catalog.task_queue import enqueue
from embeddings.photo_search import services
from embeddings.photo_search.models import PhotoSearch
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.photo_search.tasks import EXPIRES_SECONDS, QUEUE, search_by_photo
from embeddings.queues import is_served
from fashrec_site.photo_search.answers import page_refusal, refused, shown, wrong_method
from fashrec_site.photo_search.askers import Asker, asker_of, askers_of, remember
from fashrec_site.photo_search.forms import PhotoForm, read_form, read_page

# Together, and with what a request costs besides, less than two seconds.
WAIT_SECONDS = 1.6
ASK_WORKERS_SECONDS = 0.6
LOOK_EVERY_SECONDS = 0.05
NO_WORKER = "No worker for photos answers: start one (make worker), then send the photo again."
NO_QUEUE = "The task queue cannot be reached, so nobody can look at the photo; try again later."
State = PhotoSearch.State


@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Search by a photo: the products within two seconds, else 202 and where they will be."""
    if request.method != "POST":
        return wrong_method()
    try:
        form = read_form(request)
        if (refusal := page_refusal(request, form.page)) is not None:
            return refusal
        asker = asker_of(request)
        search_id = _begun(request, asker, form)
    except PhotoRefused as refusal:
        return refused(refusal)
    response = shown(request, str(search_id), form.page)
    remember(response, asker)
    return response


@require_GET
@never_cache
def result(request: HttpRequest, search_id: str) -> HttpResponse:
    """A search of whoever asks, as far as it is; any filter and page of its products."""
    try:
        return shown(request, search_id, read_page(request.GET))
    except PhotoRefused as refusal:
        return refused(refusal)


def _begun(request: HttpRequest, asker: Asker, form: PhotoForm) -> uuid.UUID:
    """The key of a search that is settled, or that a worker will settle."""
    now = timezone.now()
    photo = form.photo or _earlier(request, form.earlier)
    search = services.begin_search(asker=asker.name, photo=photo, crop=form.crop, now=now)
    if not enqueue(search_by_photo, str(search.pk), expires_seconds=EXPIRES_SECONDS):
        services.settle(search_id=search.pk, outcome=PhotoRefused("UNAVAILABLE", NO_QUEUE))
        return search.pk
    deadline = time.monotonic() + WAIT_SECONDS
    state = _state_at(search.pk, deadline - ASK_WORKERS_SECONDS)
    if state == State.WAITING and not _is_worker_there():
        services.settle(search_id=search.pk, outcome=PhotoRefused("UNAVAILABLE", NO_WORKER))
    else:
        _state_at(search.pk, deadline)
    return search.pk


def _is_worker_there() -> bool:
    try:
        return is_served(QUEUE, timeout_seconds=ASK_WORKERS_SECONDS)
    except (OperationalError, OSError):
        return False


def _earlier(request: HttpRequest, search_id: uuid.UUID) -> PhotoSearch:
    """The asker's own earlier search, whose photo is taken again."""
    search = services.find_search(
        search_id=search_id, askers=askers_of(request), now=timezone.now()
    )
    if search is None:
        raise PhotoRefused("NOT_FOUND", "No such search: it is another's, or its hour is over.")
    return search


def _state_at(search_id: uuid.UUID, deadline: float) -> str:
    """The search's state at that time (`time.monotonic`), or earlier, when it is settled."""
    while True:
        state = PhotoSearch.objects.filter(pk=search_id).values_list("state", flat=True).get()
        if state in (State.READY, State.FAILED) or time.monotonic() > deadline:
            return state
        time.sleep(LOOK_EVERY_SECONDS)
