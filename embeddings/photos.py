"""Reading photos and segmentation maps as they come: upright, first frame, RGB."""

from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 64_000_000  # more than any camera of today; a decompression bomb has more


class PhotoError(ValueError):
    """A photo that cannot be read; the message says why."""


def read_photo(file: IO[bytes]) -> Image.Image:
    """The photo in RGB, turned as its EXIF orientation says; transparency becomes white.

    Raises:
        PhotoError: no image, truncated, too large, or of a kind that is not read.
    """
    image = _decode(file)
    if image.mode.startswith(("I", "F")):
        image = _to_8_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def read_segmentation_map(file: IO[bytes]) -> Image.Image:
    """The map with its palette, where it has one, else in RGB.

    Raises:
        PhotoError: as for a photo.
    """
    image = _decode(file)
    return image if image.mode == "P" else image.convert("RGB")


def _decode(file: IO[bytes]) -> Image.Image:
    try:
        image = Image.open(file, formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise PhotoError(
                f"too large: {image.width} x {image.height}, at most {MAX_PIXELS:,} pixels"
            )
        image.load()
        return ImageOps.exif_transpose(image)
    except UnidentifiedImageError as error:
        raise PhotoError(f"not an image of a known kind ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"too large: {error}") from error
    except PhotoError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error and others
        raise PhotoError(f"unreadable: {error}") from error


def _to_8_bit(image: Image.Image) -> Image.Image:
    """A 16-bit or floating-point greyscale image, scaled to 0..255.

    Pillow's own conversion clips 16-bit values at 255, which turns a photo white.
    """
    values = np.asarray(image, dtype=np.float64)
    top = 65535.0 if image.mode.startswith("I") else max(1.0, float(np.nan_to_num(values).max()))
    scaled = np.nan_to_num(values).clip(0, top) * (255.0 / top)
    return Image.fromarray(scaled.round().astype(np.uint8))
