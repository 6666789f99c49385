"""The address of thumbnails: the first to ask for one has it made."""

from django.core.exceptions import SuspiciousFileOperation
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from catalog.thumbnails import FOLDER, NoThumbnailError, ensure_thumbnail
from fashrec_site.storefront.files import media


@require_safe
def thumbnail(request: HttpRequest, path: str) -> FileResponse:
    """A photo's small copy; of our own folders and widths only, so that nobody fills the disk."""
    name = f"{FOLDER}/{path}"
    try:
        ensure_thumbnail(name)
    except (NoThumbnailError, SuspiciousFileOperation, ValueError, OSError) as error:
        raise Http404 from error
    return media(request, name)
