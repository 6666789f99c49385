"""Looking at an uploaded photo by its header alone: nothing is decoded in the web server."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from embeddings.photo_search.refusals import PhotoRefused

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 25_000_000
MIN_SIDE = 16  # pixels; of less nobody can tell a garment
FORMATS = ("JPEG", "PNG", "WEBP")  # a phone's multi-picture JPEG counts as its first picture


def check_photo(content: bytes) -> None:
    """Let a photo pass whose header says that it is one, still, and not too large.

    Its pixels may yet turn out to be damaged, which the worker tells.

    Raises:
        PhotoRefused: INVALID_IMAGE or IMAGE_TOO_LARGE.
    """
    if not content:
        raise PhotoRefused("INVALID_IMAGE", "The photo is empty.")
    if len(content) > MAX_BYTES:
        raise too_many_bytes()
    image = _opened(content, FORMATS, "The photo")
    _check_size("The photo", image.size)
    if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
        raise PhotoRefused("INVALID_IMAGE", "The photo is animated; send a still one.")


def check_map(content: bytes) -> None:
    """Let a segmentation map pass: a PNG, as other formats blur its colours.

    Raises:
        PhotoRefused: INVALID_IMAGE or IMAGE_TOO_LARGE.
    """
    if len(content) > MAX_BYTES:
        raise too_many_bytes()
    _check_size("The segmentation map", _opened(content, ("PNG",), "The segmentation map").size)


def too_many_bytes() -> PhotoRefused:
    """The refusal of a file that is too long, however much of it was read."""
    return PhotoRefused("IMAGE_TOO_LARGE", f"A photo may have {MAX_BYTES // 2**20} MB at most.")


def _opened(content: bytes, formats: tuple[str, ...], what: str) -> Image.Image:
    try:
        return Image.open(BytesIO(content), formats=formats)
    except UnidentifiedImageError as error:
        names = " or ".join(formats) if len(formats) < 3 else "JPEG, PNG or WEBP"
        raise PhotoRefused("INVALID_IMAGE", f"{what} is not a {names} image.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(what, "far more") from error
    except Exception as error:  # whatever a header can make a reader raise
        raise PhotoRefused("INVALID_IMAGE", f"{what} cannot be read: {error}.") from error


def _check_size(what: str, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(what, f"{width} x {height}")
    if min(size) < MIN_SIDE:
        message = f"{what} has {width} x {height} pixels; each side needs {MIN_SIDE} or more."
        raise PhotoRefused("INVALID_IMAGE", message)


def _too_many_pixels(what: str, found: str) -> PhotoRefused:
    return PhotoRefused(
        "IMAGE_TOO_LARGE",
        f"{what} has {found} pixels; {MAX_PIXELS // 1_000_000} megapixels are taken.",
    )
