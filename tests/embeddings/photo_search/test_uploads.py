"""What an upload's header is refused for, without decoding a pixel."""

import time
import tracemalloc
import zlib
from io import BytesIO
from struct import pack

import pytest
from PIL import Image

from embeddings.photo_search import uploads
from embeddings.photo_search.crops import CropBox
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.photo_search.uploads import check_map, check_photo


def encoded(image, image_format="JPEG", **options):
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def photo(mode="RGB", size=(24, 32)):
    return Image.new(mode, size, 1)


OTHER = Image.new("L", (24, 32), 200)


def png_chunk(kind, content):
    return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))


def png_that_claims(width, height, *chunks):
    header = png_chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IDAT", b"x")


@pytest.mark.parametrize(
    "content",
    [
        encoded(photo()),
        encoded(photo("CMYK")),
        encoded(photo("L")),
        encoded(photo(), "PNG"),
        encoded(photo("RGBA"), "PNG"),
        encoded(Image.new("I;16", (24, 32)), "PNG"),
        encoded(photo("P"), "PNG"),
        encoded(photo(), "WEBP"),
        encoded(photo(), "MPO", save_all=True, append_images=[photo()]),
        encoded(photo(size=(16, 16))),
    ],
    ids=["JPEG", "CMYK", "grey", "PNG", "alpha", "16-bit", "palette", "WEBP", "phone", "smallest"],
)
def test_still_photos_of_the_three_formats_pass(content):
    check_photo(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The photo is empty."),
        (b"hello", "The photo is not a JPEG, PNG or WEBP image."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "The photo is not a JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "The photo is not a JPEG"),
        (encoded(photo(), "GIF"), "The photo is not a JPEG"),
        (encoded(photo(), "ICO"), "The photo is not a JPEG"),
        (encoded(photo(), "PNG")[:20], "The photo (is not|cannot be)"),
        (encoded(photo(size=(1, 1))), "The photo has 1 x 1 pixels; each side needs 16 or more."),
        (encoded(photo(size=(400, 15))), "The photo has 400 x 15 pixels"),
        (
            encoded(photo("L"), "PNG", save_all=True, append_images=[OTHER]),
            "The photo is animated; send a still one.",
        ),
        (encoded(photo(), "WEBP", save_all=True, append_images=[OTHER]), "is animated"),
        (png_that_claims(24, 32, png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(10**7)))), ""),
    ],
    ids=[
        "empty",
        "text",
        "SVG",
        "EPS",
        "GIF",
        "ICO",
        "header-cut",
        "1x1",
        "strip",
        "APNG",
        "AWEBP",
        "text-bomb",
    ],
)
def test_other_content_is_an_invalid_image(content, message):
    with pytest.raises(PhotoRefused, match=f"^.*{message}") as refused:
        check_photo(content)
    assert refused.value.code == "INVALID_IMAGE"


@pytest.mark.parametrize(
    "content",
    [
        bytes(uploads.MAX_BYTES + 1),
        png_that_claims(5_000, 5_001),
        png_that_claims(20_000, 20_000),
        png_that_claims(2**31 - 1, 2**31 - 1),
        encoded(photo("1", (20_000, 20_000)), "PNG"),
        encoded(photo("L", (7_000, 7_000)), "WEBP", lossless=True, quality=0, method=0),
    ],
    ids=["bytes", "pixels", "many", "absurd", "bomb", "WEBP"],
)
def test_what_is_too_large_is_refused_before_it_is_decoded(content):
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(PhotoRefused) as refused:
        check_photo(content)
    n_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.code == "IMAGE_TOO_LARGE"
    assert n_bytes < 5 * 2**20
    assert time.process_time() - started < 5  # decoding 400 megapixels takes longer anywhere


def test_a_map_is_a_png():
    check_map(encoded(photo(), "PNG"))
    with pytest.raises(PhotoRefused, match="The segmentation map is not a PNG image"):
        check_map(encoded(photo()))


@pytest.mark.parametrize(
    "given",
    [
        5,
        [0, 0, 1, 1],
        {"left": 0, "top": 0, "right": 1},
        {"left": 0, "top": 0, "right": 1, "bottom": 1, "angle": 3},
        {"left": 0, "top": 0, "right": 1.1, "bottom": 1},
        {"left": 0, "top": 0, "right": float("nan"), "bottom": 1},
        {"left": "0", "top": 0, "right": 1, "bottom": 1},
        {"left": True, "top": 0, "right": 1, "bottom": 1},
        {"left": 0.5, "top": 0, "right": 0.5, "bottom": 1},
    ],
)
def test_what_is_no_box_is_refused(given):
    with pytest.raises(PhotoRefused, match="crop must be ") as refused:
        CropBox.parse(given)
    assert refused.value.code == "BAD_USER_INPUT"


def test_a_box_is_measured_in_the_photo_that_it_is_cut_from():
    box = CropBox.parse({"left": 0.25, "top": 0, "right": 0.75, "bottom": 0.5})
    assert box.in_pixels((200, 100)) == (50, 0, 150, 50)
    with pytest.raises(PhotoRefused, match="The crop leaves 14 x 50 pixels") as refused:
        box.in_pixels((30, 100))
    assert refused.value.code == "INVALID_IMAGE"
