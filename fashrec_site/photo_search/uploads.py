"""Reading an upload: bounded, in memory alone, and by few threads at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from threading import BoundedSemaphore

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils import timezone

from catalog.graphql_errors import ErrorCode
from embeddings.photo_search import services
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.photo_search.uploads import MAX_BYTES, too_many_bytes
from fashrec_site.access.guard import refuse
from fashrec_site.photo_search.answers import refused

View = Callable[..., HttpResponseBase]
OTHER_FIELDS_BYTES = 256 * 1024  # crop, filter, a map's file, the form around them
MAX_BODY_BYTES = MAX_BYTES + OTHER_FIELDS_BYTES
# Of a web process's four threads two may read uploads; the others go on answering, however slowly
# photos come in.
READING = BoundedSemaphore(2)
RETRY_AFTER = {"Retry-After": "2"}
STALLED_SECONDS = 5.0  # in which not one byte of an upload came
PAUSE_SECONDS = 0.05  # in which nothing came of one that is refused
MAX_DISCARDED_BYTES = 4 * MAX_BODY_BYTES
CHUNK_BYTES = 64 * 1024


class InMemory(MemoryFileUploadHandler):
    """Keeps files in memory, as the body is bounded: a killed process leaves none on the disk."""

    def handle_raw_input(self, *args: object, **kwargs: object) -> None:
        """Accept whatever the body's length allows."""
        self.activated = True


def bounded_upload(view: View) -> View:
    """The view, whose request holds a form of bounded size; other bodies are refused unread."""

    @wraps(view)
    def bounded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        refusal = _header_refusal(request) or _crowd_refusal(request) or _read(request)
        return refusal or view(request, *args, **kwargs)

    return bounded


def _header_refusal(request: HttpRequest) -> JsonResponse | None:
    """What the headers alone are refused for."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdigit():
        message = "The request must say its Content-Length."
        return refuse(HTTPStatus.LENGTH_REQUIRED, ErrorCode.BAD_USER_INPUT, message)
    if int(length) > MAX_BODY_BYTES:
        _discard(request)
        refused = too_many_bytes()
        return refuse(413, ErrorCode(refused.code), str(refused))
    if request.content_type != "multipart/form-data":
        _discard(request)
        message = f"expected Content-Type: multipart/form-data; got {request.content_type!r}"
        return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, ErrorCode.BAD_USER_INPUT, message)
    return None


def _crowd_refusal(request: HttpRequest) -> HttpResponseBase | None:
    """A flood's uploads are refused before anything is parsed or anybody's key looked up."""
    try:
        services.refuse_beyond_two(timezone.now())
    except PhotoRefused as refusal:
        _discard(request)
        return refused(refusal)
    return None


def _read(request: HttpRequest) -> JsonResponse | None:
    """Read the form now, if a thread may; why not, else."""
    if not READING.acquire(blocking=False):
        _discard(request)
        message = "Too many photos are being received; try again in 2 s."
        return refuse(429, ErrorCode.RATE_LIMITED, message, **RETRY_AFTER)
    request.upload_handlers = [InMemory(request)]
    try:
        with _receive_timeout(request, STALLED_SECONDS):
            request.POST  # noqa: B018  # parses
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError) as error:
        status = 413 if isinstance(error, RequestDataTooBig) else 400
        message = f"The form cannot be read: {error or type(error).__name__}."
        return refuse(status, ErrorCode.BAD_USER_INPUT, message)
    finally:
        READING.release()
    return None


def _discard(request: HttpRequest) -> None:
    """Receive what a client is sending right now, or it would never read why it is refused."""
    n_bytes = 0
    with _receive_timeout(request, PAUSE_SECONDS):
        while n_bytes < MAX_DISCARDED_BYTES:
            try:
                received = request.read(CHUNK_BYTES)
            except UnreadablePostError:
                return
            if not received:
                return
            n_bytes += len(received)


@contextmanager
def _receive_timeout(request: HttpRequest, seconds: float) -> Iterator[None]:
    """Let gunicorn's reads of the body end after so long without a byte; other servers' as ever."""
    socket = request.META.get("gunicorn.socket")
    if socket is None:
        yield
        return
    before = socket.gettimeout()
    socket.settimeout(seconds)
    try:
        yield
    finally:
        socket.settimeout(before)
