"""Small copies of photos: made once, upright, and gone with the photo."""

from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.template import Context, Template
from PIL import Image

from catalog import thumbnails
from catalog.thumbnails import ensure_thumbnail, thumbnail_name, thumbnail_url
from tests.factories import ProductImageFactory, photo_bytes


def encoded(size, orientation=None):
    image, buffer = Image.new("RGB", size, (200, 40, 60)), BytesIO()
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
        exif[0x010E] = "where I live"
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


@pytest.fixture
def photo(db):
    content = encoded((800, 400), orientation=6)  # 6: on its side
    return ProductImageFactory(image=ContentFile(content, name="photo.jpg")).image


def stored():
    return sorted(p for p in Path(settings.MEDIA_ROOT, "thumbnails").rglob("*") if p.is_file())


def test_the_first_to_ask_gets_it_made_upright_and_without_metadata(client, photo):
    url = thumbnail_url(photo, 320)
    assert url == f"/media/{thumbnail_name(photo.name, 320)}"
    assert stored() == []
    answer = client.get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    with Image.open(BytesIO(answer.getvalue())) as image:
        assert (image.format, image.size) == ("WEBP", (320, 640))
        assert not image.getexif()
    made = stored()[0].stat().st_mtime_ns
    client.get(url).getvalue()
    assert [path.stat().st_mtime_ns for path in stored()] == [made]


@pytest.mark.django_db(transaction=True)
def test_who_ask_at_once_make_one(monkeypatch):
    made = []
    encode = thumbnails._encoded
    monkeypatch.setattr(thumbnails, "_encoded", lambda *a: made.append(1) or encode(*a))
    name = thumbnail_name(ProductImageFactory().image.name, 160)

    def ask():
        ensure_thumbnail(name)
        connection.close()

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    assert len(stored()) == 1


@pytest.mark.parametrize(
    "path",
    [
        "thumbnails/161/{}",
        "thumbnails/320/../../../etc/passwd",
        "thumbnails/320/nothing.webp",
        "thumbnails/x",
        "thumbnails/320/a%00b.webp",
    ],
)
def test_other_widths_and_other_files_are_not_there(client, photo, path):
    inner = thumbnail_name(photo.name, 320).removeprefix("thumbnails/320/")
    assert client.get(f"/media/{path.format(inner)}").status_code == 404
    assert stored() == []


def test_thumbnails_go_with_their_photo(photo, django_capture_on_commit_callbacks):
    ensure_thumbnail(thumbnail_name(photo.name, 160))
    assert len(stored()) == 1
    with django_capture_on_commit_callbacks(execute=True):
        photo.instance.delete()
    assert stored() == []


def test_a_small_photo_stays_small_and_a_missing_one_has_no_address(client, db):
    image = ProductImageFactory(content=photo_bytes(size=(30, 40)))
    tag = Template("{% load thumbnails %}{% thumbnail_url image 160 %}")
    url = tag.render(Context({"image": image}))
    with Image.open(BytesIO(client.get(url).getvalue())) as small:
        assert small.size == (30, 40)
    assert tag.render(Context({"image": None})) == ""


def test_the_api_tells_a_thumbnails_address_which_is_served(db, client, ask):
    image = ProductImageFactory(product__item_id="shirt", content=photo_bytes(size=(700, 900)))
    answer = ask('{ product(itemId: "shirt") { images { thumbnailUrl(width: W640) } } }')
    (told,) = answer["data"]["product"]["images"]
    assert told["thumbnailUrl"] == thumbnail_url(image.image, 640)
    served = client.get(told["thumbnailUrl"])
    assert served["Content-Type"] == "image/webp"
    with Image.open(BytesIO(served.getvalue())) as thumbnail:
        assert thumbnail.width == 640
