from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from catalog.importing import photos
from catalog.importing.photos import (
    MAP_FORMATS,
    UnreadableImageError,
    check_file,
    check_files,
    check_image,
)
from tests.catalog.sources import draw
from tests.factories import photo_bytes


@pytest.mark.parametrize(
    ("image_format", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp")]
)
def test_a_photo_is_known_by_its_bytes_and_named_by_its_content(image_format, suffix):
    content = photo_bytes(image_format=image_format)
    checked = check_image(content)
    assert (checked.sha256, checked.suffix) == (sha256(content).hexdigest(), suffix)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "I;16"])
def test_photos_of_every_mode_are_taken(mode):
    buffer = BytesIO()
    Image.new(mode, (3, 2)).save(buffer, "PNG")
    assert check_image(buffer.getvalue()).suffix == ".png"


def test_a_phones_photo_with_further_pictures_behind_it_is_a_jpeg():
    buffer = BytesIO()
    further = [Image.new("RGB", (6, 4), "white")]
    Image.new("RGB", (60, 40), "navy").save(buffer, "MPO", save_all=True, append_images=further)
    assert check_image(buffer.getvalue()).suffix == ".jpg"


def noisy_jpeg():
    buffer = BytesIO()
    Image.effect_noise((64, 64), 80).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize("content", [noisy_jpeg(), photo_bytes(size=(64, 64))])
def test_a_truncated_photo_is_refused(content):
    check_image(content)
    with pytest.raises(UnreadableImageError, match="it cannot be decoded"):
        check_image(content[: len(content) * 2 // 3])


def test_a_png_with_a_damaged_checksum_is_refused():
    content = bytearray(photo_bytes(size=(64, 64)))
    content[content.index(b"IDAT") + 6] ^= 0xFF
    with pytest.raises(UnreadableImageError, match="it cannot be decoded"):
        check_image(bytes(content))


@pytest.mark.parametrize("image_format", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_formats_are_refused_whatever_the_name_says(tmp_path, image_format):
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_bytes(image_format=image_format))
    with pytest.raises(UnreadableImageError, match=r"^it is not a JPEG, PNG or WEBP image$"):
        check_file(path)


def test_a_segmentation_map_must_not_be_a_jpeg():
    with pytest.raises(UnreadableImageError, match=r"^it is not a PNG image$"):
        check_image(photo_bytes(image_format="JPEG"), MAP_FORMATS)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UnreadableImageError, match=r"^the file is empty$"):
        check_file(tmp_path / "empty.jpg")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UnreadableImageError, match=r"^there is no such file$"):
        check_file(tmp_path / "none.jpg")


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(photos, "MAX_PIXELS", 100)
    check_image(photo_bytes(size=(10, 10)))
    with pytest.raises(
        UnreadableImageError, match=r"^it has 10 x 11 pixels; at most 100 are taken$"
    ):
        check_image(photo_bytes(size=(10, 11)))


@pytest.mark.parametrize("side_px", [10_000, 14_000])  # Pillow warns of one and refuses the other
def test_a_decompression_bomb_is_refused(side_px):
    buffer = BytesIO()
    Image.new("1", (side_px, side_px)).save(buffer, "PNG")
    with pytest.raises(UnreadableImageError, match=r"^it has more than 25,000,000 pixels$"):
        check_image(buffer.getvalue())


def test_a_file_that_is_too_large_is_not_even_read(tmp_path, monkeypatch):
    path = draw(tmp_path / "photo.jpg")
    monkeypatch.setattr(photos, "MAX_FILE_BYTES", path.stat().st_size - 1)
    with pytest.raises(UnreadableImageError, match="the file is larger than"):
        check_file(path)


def test_a_folder_named_like_a_photo_is_no_photo(tmp_path):
    (tmp_path / "photo.jpg").mkdir()
    with pytest.raises(UnreadableImageError, match=r"^there is no such file$"):
        check_file(tmp_path / "photo.jpg")


def test_outcomes_come_in_order_and_bad_files_do_not_stop_the_others(tmp_path):
    paths = [draw(tmp_path / f"{n}.jpg", shade=n) for n in range(20)]
    paths[7].write_bytes(b"not a photo")
    outcomes = list(check_files([(path, photos.PHOTO_FORMATS) for path in paths]))
    assert isinstance(outcomes.pop(7), UnreadableImageError)
    del paths[7]
    assert [outcome.sha256 for outcome in outcomes] == [
        sha256(path.read_bytes()).hexdigest() for path in paths
    ]
