"""Small WEBP copies of photos at fixed widths, made once each, beside the photos in storage.

A thumbnail's name says which photo and width it is of, so that its address is known without
looking; whoever asks first for one makes it. Photos never change under their name.
"""

from collections.abc import Iterable
from io import BytesIO
from pathlib import PurePath

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.db import connection, transaction
from django.db.models.fields.files import FieldFile
from PIL import Image, ImageOps

WIDTHS = (160, 320, 640)  # pixels: lists at twice their density, cards, product pages
FOLDER = "thumbnails"
PHOTO_FOLDER = "products"
QUALITY = 82
SUFFIXES = (".jpg", ".png", ".webp", ".jpeg")  # of photos


class NoThumbnailError(LookupError):
    """There is no photo of that name, or thumbnails have no such width."""


def thumbnail_url(photo: FieldFile, width: int) -> str:
    """The address of a photo's copy that is `width` (one of `WIDTHS`) pixels wide; costs nothing.

    A photo of another folder than the products', or of a narrower size, is served as wide as it is.
    """
    return photo.storage.url(thumbnail_name(photo.name, width))


def thumbnail_name(photo_name: str, width: int) -> str:
    """Where in storage the copy lies, whether it was made yet or not.

    Raises:
        ValueError: not one of `WIDTHS`.
    """
    if width not in WIDTHS:
        raise ValueError(f"thumbnails are {WIDTHS} pixels wide; got {width}")
    path = PurePath(photo_name)
    inner = path.relative_to(PHOTO_FOLDER) if path.parts[:1] == (PHOTO_FOLDER,) else path
    return str(PurePath(FOLDER, str(width), inner.with_suffix(".webp")))


def thumbnail_names(photo_name: str) -> Iterable[str]:
    """All its copies' names, for whoever deletes the photo."""
    return [thumbnail_name(photo_name, width) for width in WIDTHS]


def ensure_thumbnail(name: str, storage: Storage = default_storage) -> None:
    """Make the thumbnail of that name, unless it is there; processes that ask at once make one.

    Raises:
        NoThumbnailError: it would be of no photo, or of a width that there is not.
    """
    if storage.exists(name):
        return
    photo_name, width = _photo_of(name, storage)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        if not storage.exists(name):
            with storage.open(photo_name) as photo:
                storage.save(name, ContentFile(_encoded(photo, width)))


def _photo_of(name: str, storage: Storage) -> tuple[str, int]:
    parts = PurePath(name).parts
    if len(parts) < 3 or parts[0] != FOLDER or parts[1] not in map(str, WIDTHS):
        raise NoThumbnailError(name)
    stem = PurePath(PHOTO_FOLDER, *parts[2:])
    for suffix in SUFFIXES:
        photo_name = str(stem.with_suffix(suffix))
        if storage.exists(photo_name):
            return photo_name, int(parts[1])
    raise NoThumbnailError(name)


def _encoded(photo: object, width: int) -> bytes:
    """The photo upright, `width` pixels wide or less, as WEBP without any of its metadata."""
    with Image.open(photo) as image:
        image.draft("RGB", (width * 2, width * 2))
        upright = ImageOps.exif_transpose(image)
        mode = "RGBA" if upright.has_transparency_data else "RGB"
        small = upright.convert(mode)
    small.thumbnail((width, width * 4), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()
