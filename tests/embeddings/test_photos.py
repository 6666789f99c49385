"""Photos as they come: modes, orientations, frames, and what is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from embeddings.photos import PhotoError, read_photo, read_reduced, read_segmentation_map

RED, BLUE = (200, 30, 40), (20, 30, 220)
ORIENTATION = 0x0112


def encoded(image, image_format="PNG", **options):
    file = io.BytesIO()
    image.save(file, image_format, **options)
    file.seek(0)
    return file


def test_a_photo_is_turned_as_its_exif_says():
    image = Image.new("RGB", (2, 1))
    image.putdata([RED, BLUE])
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be shown turned a quarter clockwise

    photo = read_photo(encoded(image, exif=exif))

    assert photo.size == (1, 2)
    assert [photo.getpixel((0, y)) for y in (0, 1)] == [RED, BLUE]


def test_transparency_becomes_white():
    image = Image.new("RGBA", (2, 1))
    image.putdata([(*RED, 255), (*RED, 0)])

    photo = read_photo(encoded(image))

    assert [photo.getpixel((x, 0)) for x in (0, 1)] == [RED, (255, 255, 255)]


def test_a_transparent_palette_colour_becomes_white():
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])

    photo = read_photo(encoded(image, transparency=1))

    assert [photo.getpixel((x, 0)) for x in (0, 1)] == [RED, (255, 255, 255)]


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    values = np.array([[0, 32768, 65535]], dtype=np.uint16)

    photo = read_photo(encoded(Image.fromarray(values)))

    assert photo.mode == "RGB"
    assert [photo.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_a_cmyk_photo_becomes_rgb():
    photo = read_photo(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))

    red, green, blue = photo.getpixel((4, 4))
    assert photo.mode == "RGB"
    assert red > 200
    assert max(green, blue) < 60


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 4), color) for color in (RED, BLUE)]

    photo = read_photo(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))

    assert photo.size == (4, 4)
    assert photo.getpixel((0, 0)) == RED


def test_a_photo_of_one_pixel_is_read():
    assert read_photo(encoded(Image.new("RGB", (1, 1), RED))).getpixel((0, 0)) == RED


def test_a_truncated_photo_is_refused():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), "JPEG").getvalue()

    with pytest.raises(PhotoError, match="unreadable"):
        read_photo(io.BytesIO(content[: len(content) // 2]))


@pytest.mark.parametrize("content", [b"", b"no photo", b"<svg></svg>", b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_what_is_no_photo_is_refused(content):
    with pytest.raises(PhotoError, match="not an image of a known kind"):
        read_photo(io.BytesIO(content))


def test_a_photo_with_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr("embeddings.photos.MAX_PIXELS", 99)

    with pytest.raises(PhotoError, match="too large: 10 x 10, at most 99 pixels"):
        read_photo(encoded(Image.new("RGB", (10, 10))))


def test_a_map_keeps_its_palette():
    image = Image.new("P", (1, 1))
    image.putpalette([*RED])

    assert read_segmentation_map(encoded(image)).mode == "P"
    assert read_segmentation_map(encoded(Image.new("RGBA", (1, 1)))).mode == "RGB"


def jpeg(size, orientation=None):
    """A smooth JPEG in which red grows downwards and green to the right."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    channels = (255 * rows / size[1], 255 * columns / size[0], 0 * rows)
    exif = Image.Exif()
    if orientation:
        exif[ORIENTATION] = orientation
    image = Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))
    return encoded(image, "JPEG", quality=95, exif=exif)


@pytest.mark.parametrize(
    ("size", "reduction"),
    [((400, 600), 1), ((719, 900), 1), ((720, 900), 2), ((3001, 1440), 4), ((2880, 2880), 8)],
)
def test_a_jpeg_is_decoded_smaller_as_long_as_the_wanted_side_is_left(size, reduction):
    photo = read_reduced(jpeg(size), 360)

    assert (photo.size, photo.reduction) == (size, reduction)
    assert photo.image.size == tuple(-(-side // reduction) for side in size)


def test_only_jpegs_are_decoded_smaller_and_only_where_it_is_wanted():
    image = Image.new("RGB", (1000, 1000), RED)

    assert read_reduced(encoded(image, "PNG"), 360).reduction == 1
    assert read_reduced(encoded(image, "JPEG"), None).reduction == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_that_is_decoded_smaller_is_turned_as_its_exif_says(orientation):
    content = jpeg((800, 1000), orientation).getvalue()

    small, whole = (read_reduced(io.BytesIO(content), side) for side in (360, None))

    assert small.reduction == 2
    assert small.size == whole.size == ((1000, 800) if orientation > 4 else (800, 1000))
    difference = np.asarray(whole.image.reduce(2)).astype(int) - np.asarray(small.image)
    assert np.abs(difference).max() <= 3


def test_a_turned_photo_with_a_row_too_many_is_decoded_in_full():
    assert read_reduced(jpeg((801, 1000), orientation=3), 360).reduction == 1
    assert read_reduced(jpeg((801, 1000)), 360).reduction == 2


def test_a_truncated_photo_is_refused_also_when_it_is_decoded_smaller():
    content = jpeg((800, 1000)).getvalue()

    with pytest.raises(PhotoError, match="unreadable"):
        read_reduced(io.BytesIO(content[: len(content) // 2]), 360)
