"""A search's life: two at a time, a vector as a product's, a file of pixels, and its end."""

import os
import time
from io import BytesIO

import numpy as np
import pytest
from django.core.cache import cache
from django.db import IntegrityError
from PIL import Image

from embeddings.models import PhotoSearch, ProductVector
from embeddings.photo_search import embedding, private_files, services
from embeddings.photo_search.crops import CropBox
from embeddings.photo_search.querysets import GIVE_UP_AFTER
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.photo_search.tasks import load_backbone, search_by_photo
from tests.embeddings.drawn_photos import map_with_garment, map_without_garment, photo_of
from tests.embeddings.photo_search.worlds import SIZE, begun, embedded_catalogue, later
from tests.factories import PhotoSearchFactory, ProductVectorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue():
    return embedded_catalogue()


def run(search):
    """As a worker does; the search afterwards."""
    search_by_photo.run(str(search.pk))
    search.refresh_from_db()
    return search


def begun_again(earlier, crop, now=None):
    """A search of the earlier one's photo."""
    now = now or later()
    return services.begin_search(asker="user:1", photo=earlier, crop=crop, now=now)


def encoded(image, image_format="PNG", **options):
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def opened(content):
    return Image.open(BytesIO(content)).convert("RGB")


def cosine(search, item_id):
    product = ProductVector.objects.get(product__item_id=item_id)
    return float(np.dot(search.vector, product.vector))


# Vectors


def test_a_products_own_photo_gets_the_products_vector(catalogue):
    search = run(begun(photo_of(2, SIZE)))
    assert (search.state, search.error) == ("ready", "")
    assert cosine(search, "2") == pytest.approx(1, abs=2e-3)
    assert search.weights_sha256 == catalogue.weights_sha256
    assert cosine(search, "1") < 0.95


def test_a_second_delivery_changes_nothing(catalogue):
    search = run(begun())
    vector = search.vector
    assert run(search).vector == vector
    assert search.attempts == 1


def test_a_turned_photo_is_looked_at_upright_and_kept_without_metadata(catalogue):
    lying = opened(photo_of(2, SIZE)).rotate(90, expand=True)
    tags = Image.Exif()
    tags[0x0112] = 6  # to be turned by a quarter, clockwise
    tags[0x010E] = "at home"
    search = run(begun(encoded(lying, "PNG", exif=tags)))
    assert cosine(search, "2") == pytest.approx(1, abs=2e-3)
    kept = Image.open(BytesIO(private_files.read(search.photo)))
    assert (kept.format, kept.size, dict(kept.getexif())) == ("JPEG", SIZE, {})
    assert b"at home" not in private_files.read(search.photo)


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "P", "L", "I;16"])
def test_every_kind_of_pixels_becomes_a_vector(catalogue, mode):
    photo = opened(photo_of(2, SIZE))
    if mode == "I;16":
        photo = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    else:
        photo = photo.convert(mode)
    search = run(begun(encoded(photo, "JPEG" if mode == "CMYK" else "PNG")))
    assert np.linalg.norm(search.vector) == pytest.approx(1, abs=2e-3)


def test_a_large_photo_is_kept_smaller_and_looks_the_same(catalogue):
    large = opened(photo_of(2, SIZE)).resize((3000, 4000), Image.Resampling.NEAREST)
    for image_format in ("JPEG", "WEBP"):
        search = run(begun(encoded(large, image_format, quality=90)))
        width, height = opened(private_files.read(search.photo)).size
        assert width * height <= embedding.KEPT_PIXELS
        assert cosine(search, "2") > 0.98


def test_a_crop_counts_alone(catalogue):
    photo = Image.new("RGB", (2 * SIZE[0], SIZE[1]), "white")
    photo.paste(opened(photo_of(2, SIZE)), (SIZE[0], 0))
    right_half = CropBox(0.5, 0, 1, 1)
    whole, cropped = run(begun(encoded(photo))), run(begun(encoded(photo), crop=right_half))
    assert cosine(cropped, "2") == pytest.approx(1, abs=2e-3)
    assert cosine(whole, "2") < 0.95


def test_an_earlier_searchs_photo_is_taken_again_and_expires_with_it(catalogue):
    first = run(begun())
    again = begun_again(first, CropBox(0, 0, 0.5, 0.5), now=later(minutes=30))
    assert (again.photo, again.expires_at) == (first.photo, first.expires_at)
    PhotoSearch.objects.filter(pk=again.pk).update(created_at=first.created_at)
    assert run(again).state == "ready"
    assert again.vector != first.vector


def test_a_map_leaves_the_garment(catalogue):
    content = photo_of(2, SIZE)
    masked = run(begun(content, map_content=map_with_garment(SIZE)))
    assert masked.state == "ready"
    assert masked.vector != run(begun(content)).vector
    empty = run(begun(content, map_content=map_without_garment(SIZE)))
    assert (empty.state, empty.error_code) == ("failed", "INVALID_IMAGE")
    assert "leaves no garment pixel" in empty.error


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_photo_is_an_invalid_image(catalogue, image_format):
    content = encoded(opened(photo_of(2, (300, 400))), image_format)
    search = run(begun(content[: len(content) // 2]))
    assert (search.state, search.error_code, search.vector) == ("failed", "INVALID_IMAGE", None)
    assert search.error.startswith("The photo is unreadable: ")
    assert not private_files.path_of(search.photo).exists()


def test_a_photo_whose_crop_is_refused_stays_for_another_crop(catalogue):
    first = run(begun())
    again = run(begun_again(first, CropBox(0, 0, 0.01, 1)))
    assert (again.state, again.error_code) == ("failed", "INVALID_IMAGE")
    assert run(begun_again(first, CropBox(0, 0, 0.5, 1))).state == "ready"


def test_a_photo_that_takes_all_memory_fails_and_says_so(catalogue, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr("embeddings.photo_search.embedding.read_reduced", full)
    assert run(begun()).error_code == "UNAVAILABLE"


def test_loading_ahead_needs_no_embeddings_and_no_weights():
    load_backbone.run()
    ProductVectorFactory(backbone__name="resnet50", backbone__weights_sha256="of other weights")
    load_backbone.run()
    search = run(begun())
    assert search.error_code == "UNAVAILABLE"
    assert search.error.startswith("The photo cannot be compared: ")


# Two at a time


def test_without_any_embedding_no_photo_is_taken():
    with pytest.raises(PhotoRefused, match="No product is embedded yet") as refused:
        begun()
    assert refused.value.code == "UNAVAILABLE"
    assert not PhotoSearch.objects.exists()


def test_a_third_photo_is_refused_until_one_is_settled_or_given_up(catalogue):
    first, _ = begun(), begun()
    with pytest.raises(PhotoRefused, match="2 photos are being searched for") as refused:
        begun()
    assert (refused.value.code, refused.value.retry_after_seconds) == ("RATE_LIMITED", 2)
    assert len(list(private_files.path_of("").iterdir())) == 2
    run(first)
    begun()
    begun(now=later(seconds=GIVE_UP_AFTER.total_seconds() + 1))


def test_a_search_that_loses_its_worker_twice_is_given_up(catalogue):
    search, now = begun(), later()
    for attempts in (1, 2):
        claimed = services.claim(search_id=search.pk, now=now)
        assert (claimed.state, claimed.attempts) == ("running", attempts)
    assert services.claim(search_id=search.pk, now=now) is None
    search.refresh_from_db()
    assert (search.error_code, search.error) == ("UNAVAILABLE", services.WORKER_LOST)


def test_a_search_that_nobody_settles_says_so_to_who_asks(catalogue):
    search = begun()
    soon, late = later(seconds=1), later(seconds=GIVE_UP_AFTER.total_seconds() + 1)

    def state(now):
        asked = {"search_id": search.pk, "askers": {"user:1"}}
        return services.find_search(**asked, now=now).state

    assert (state(soon), state(late)) == ("waiting", "failed")
    assert services.claim(search_id=search.pk, now=late) is None


def test_a_full_disk_leaves_no_search(catalogue, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(PhotoRefused, match="could not be stored: No space left on device"):
        begun()
    assert not PhotoSearch.objects.exists()
    assert list(private_files.path_of("").iterdir()) == []


# Whose it is, and its end


def test_only_its_asker_finds_a_search_and_only_for_an_hour(catalogue):
    search = begun(asker="key:7")

    def found(*askers, **time_ahead):
        now = later(**time_ahead)
        return services.find_search(search_id=search.pk, askers=set(askers), now=now) is not None

    assert found("user:1", "key:7")
    assert not found("user:7") and not found()
    assert found("key:7", minutes=59) and not found("key:7", minutes=61)


def test_expired_searches_go_with_their_photos_and_maps(catalogue):
    search = run(begun(map_content=map_with_garment(SIZE)))
    other = run(begun(now=later(minutes=5)))
    assert services.forget_expired(now=later(minutes=61)) == 1
    assert not PhotoSearch.objects.filter(pk=search.pk).exists()
    assert [path.name for path in private_files.path_of("").iterdir()] == [other.photo]


def test_a_new_search_deletes_expired_ones_where_no_beat_runs(catalogue):
    old = run(begun())
    PhotoSearch.objects.update(expires_at=later(seconds=-1))
    run(begun())
    assert private_files.path_of(old.photo).exists()  # looked for within the same minute
    cache.clear()
    begun()
    assert not private_files.path_of(old.photo).exists()


def test_a_file_without_a_row_goes_after_an_hour_too(catalogue):
    for name, minutes in (("young", 59), ("old", 61)):
        private_files.store(name, b"photo")
        os.utime(private_files.path_of(name), times=(time.time() - minutes * 60,) * 2)
    services.forget_expired(now=later())
    assert [path.name for path in private_files.path_of("").iterdir()] == ["young"]


def test_files_are_this_users_alone(catalogue):
    search = run(begun())
    path = private_files.path_of(search.photo)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert search.photo != search.pk.hex


def test_a_ready_search_has_a_vector_and_a_failed_one_a_reason():
    with pytest.raises(IntegrityError, match="photo_search_vector_or_reason"):
        PhotoSearchFactory(vector=None, state="ready")
