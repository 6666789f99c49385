"""Files that are served as they are: products' photos, and the report's pictures."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import FileResponse, Http404, HttpRequest
from django.utils._os import safe_join

CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".json": "application/json",
}
A_YEAR_IN_SECONDS = 31_536_000


def media(request: HttpRequest, path: str) -> FileResponse:
    """A product's photo; its name is random and its content never changes."""
    return served_file(Path(settings.MEDIA_ROOT), path, max_age_seconds=A_YEAR_IN_SECONDS)


def served_file(folder: Path, name: str, *, max_age_seconds: int) -> FileResponse:
    """One of our own kinds of files inside `folder`, with exactly its type."""
    content_type = CONTENT_TYPES.get(Path(name).suffix.lower())
    try:
        path = Path(safe_join(folder, name))
    except (SuspiciousOperation, ValueError) as error:  # outside of it, or a NUL in the name
        raise Http404 from error
    if content_type is None or not path.is_file():
        raise Http404
    response = FileResponse(path.open("rb"), content_type=content_type)
    response["Cache-Control"] = f"public, max-age={max_age_seconds}, immutable"
    return response
