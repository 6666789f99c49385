"""Reading photos and segmentation maps as they come: upright, first frame, RGB."""

from dataclasses import dataclass, replace
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_PIXELS = 64_000_000  # more than any camera of today; a decompression bomb has more
JPEG_REDUCTIONS = (8, 4, 2)  # what libjpeg decodes by as cheaply as by any other
ORIENTATION = 0x0112
UPRIGHT = 1


class PhotoError(ValueError):
    """A photo that cannot be read; the message says why."""


@dataclass(frozen=True)
class DecodedPhoto:
    """A photo in RGB, upright, perhaps decoded at a fraction of its size."""

    image: Image.Image
    size: tuple[int, int]  # the whole photo's width and height in pixels
    reduction: int = 1  # a pixel of `image` stands for reduction x reduction pixels


def read_photo(file: IO[bytes]) -> Image.Image:
    """The photo in RGB, turned as its EXIF orientation says; transparency becomes white.

    Raises:
        PhotoError: no image, truncated, too large, or of a kind that is not read.
    """
    return read_reduced(file, None).image


def read_reduced(file: IO[bytes], shorter_side: int | None) -> DecodedPhoto:
    """The photo as `read_photo` gives it, a JPEG decoded at 1/8, 1/4 or 1/2 where that leaves
    `shorter_side` pixels; None decodes in full.

    Raises:
        PhotoError: as `read_photo`.
    """
    decoded = _decode(file, shorter_side)
    return replace(decoded, image=_as_rgb(decoded.image))


def _as_rgb(image: Image.Image) -> Image.Image:
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
    image = _decode(file).image
    return image if image.mode == "P" else image.convert("RGB")


def _decode(file: IO[bytes], shorter_side: int | None = None) -> DecodedPhoto:
    try:
        image = Image.open(file, formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise PhotoError(
                f"too large: {image.width} x {image.height}, at most {MAX_PIXELS:,} pixels"
            )
        size, reduction = image.size, _reduction(image, shorter_side)
        if reduction > 1:
            image.draft(None, (size[0] // reduction, size[1] // reduction))
        image.load()
        turned = ImageOps.exif_transpose(image)
        is_on_its_side = (turned.width < turned.height) != (image.width < image.height)
        return DecodedPhoto(turned, size[::-1] if is_on_its_side else size, reduction)
    except UnidentifiedImageError as error:
        raise PhotoError(f"not an image of a known kind ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"too large: {error}") from error
    except PhotoError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error and others
        raise PhotoError(f"unreadable: {error}") from error


def _reduction(image: Image.Image, shorter_side: int | None) -> int:
    """By how much the opened photo may be decoded smaller.

    A reduced row or column that stands for pixels beyond the photo's end must stay the last one,
    so that a photo which will be turned is reduced only where there is no such row or column.
    """
    if shorter_side is None or image.format != "JPEG":
        return 1
    is_turned = image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT
    for reduction in JPEG_REDUCTIONS:
        is_whole = not any(side % reduction for side in image.size)
        if min(image.size) >= shorter_side * reduction and (is_whole or not is_turned):
            return reduction
    return 1


def _to_8_bit(image: Image.Image) -> Image.Image:
    """A 16-bit or floating-point greyscale image, scaled to 0..255.

    Pillow's own conversion clips 16-bit values at 255, which turns a photo white.
    """
    values = np.asarray(image, dtype=np.float64)
    top = 65535.0 if image.mode.startswith("I") else max(1.0, float(np.nan_to_num(values).max()))
    scaled = np.nan_to_num(values).clip(0, top) * (255.0 / top)
    return Image.fromarray(scaled.round().astype(np.uint8))
