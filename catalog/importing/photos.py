"""Opening photos: each is decoded to its last pixel once, and hashed, in threads."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_PIXELS = 25_000_000
# By Pillow's name of the format. MPO is a JPEG that a phone put further pictures behind.
SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp"}
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP")
MAP_FORMATS = ("PNG",)  # a format with losses would blur the colours that tell garment from skin


class UnreadableImageError(Exception):
    """The file is not an image that the catalogue takes; the message says why."""


@dataclass(frozen=True)
class CheckedImage:
    """An image file that decodes: the hash of its bytes, and the suffix that its content earns."""

    sha256: str
    suffix: str


def check_image(content: bytes, formats: tuple[str, ...] = PHOTO_FORMATS) -> CheckedImage:
    """The hash of an encoded image, decoded completely: a verified header misses truncation.

    The bytes are kept as they are; an EXIF orientation is for who shows or embeds the photo.

    Raises:
        UnreadableImageError: not one of the formats, damaged, empty or too large.
    """
    if not content:
        raise UnreadableImageError("the file is empty")
    try:
        with Image.open(BytesIO(content), formats=formats) as image:
            _refuse_size(image.width, image.height)
            image.load()
            suffix = SUFFIXES[str(image.format)]
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"it is not a {_names(formats)} image") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(f"it has more than {MAX_PIXELS:,} pixels") from error
    except UnreadableImageError:
        raise
    except Exception as error:  # decoders raise OSError, ValueError, SyntaxError, struct.error ...
        raise UnreadableImageError(f"it cannot be decoded: {error}") from error
    return CheckedImage(hashlib.sha256(content).hexdigest(), suffix)


def check_file(path: Path, formats: tuple[str, ...] = PHOTO_FORMATS) -> CheckedImage:
    """`check_image` of a file.

    Raises:
        UnreadableImageError: as there, or there is no such file.
    """
    return check_image(read_image_file(path), formats)


def read_image_file(path: Path) -> bytes:
    """The bytes of a file that may be an image.

    Raises:
        UnreadableImageError: it is no regular file, too large, or may not be read.
    """
    try:
        if not path.is_file():  # a pipe named photo.jpg would be read for ever
            raise UnreadableImageError("there is no such file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableImageError(f"the file is larger than {MAX_FILE_BYTES:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"it cannot be read: {error.strerror}") from error


Outcome = CheckedImage | UnreadableImageError


def check_files(files: Iterable[tuple[Path, tuple[str, ...]]]) -> Iterator[Outcome]:
    """The outcome of `check_file` for each file, in order; decoding leaves Python's lock free."""

    def outcome(file: tuple[Path, tuple[str, ...]]) -> Outcome:
        try:
            return check_file(*file)
        except UnreadableImageError as error:
            return error

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        yield from threads.map(outcome, files)


def _refuse_size(width: int, height: int) -> None:
    if width * height == 0:
        raise UnreadableImageError(f"it has no pixels ({width} x {height})")
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(
            f"it has {width} x {height} pixels; at most {MAX_PIXELS:,} are taken"
        )


def _names(formats: tuple[str, ...]) -> str:
    return " or ".join([", ".join(formats[:-1]), formats[-1]] if formats[1:] else formats)
