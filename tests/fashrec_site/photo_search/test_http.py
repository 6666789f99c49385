"""`/search/photo` over HTTP: what it answers, to whom, and what it refuses.

The worker's task runs here in the request; test_with_worker.py has a real one.
"""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from embeddings.models import PhotoSearch
from embeddings.photo_search import private_files, uploads
from embeddings.photo_search.tasks import search_by_photo
from fashrec_site.access.keys import issue_key
from fashrec_site.photo_search import uploads as reading
from fashrec_site.photo_search import views
from shoppers.callers import Scope
from tests.embeddings.drawn_photos import map_with_garment, photo_of
from tests.embeddings.photo_search.worlds import SIZE, begun, embedded_catalogue
from tests.fashrec_site.photo_search.forms import PLACE, code, item_ids, message, search_of, send

pytestmark = pytest.mark.django_db
LEFT_HALF = {"left": 0, "top": 0, "right": 0.5, "bottom": 1}
ASK = """query ($id: ID!) { photoSearch(id: $id) {
    status error { code message } products(first: 1) { edges { similarity node { itemId } } } } }"""


@pytest.fixture(autouse=True)
def catalogue():
    return embedded_catalogue()


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A worker that takes the task before the publisher returns."""

    def run(task, search_id, **_):
        task.run(search_id)
        return True

    monkeypatch.setattr(views, "enqueue", run)


@pytest.fixture
def nobody_works(monkeypatch):
    """Messages are sent and nobody takes them; whether a worker answers is the test's to say."""
    monkeypatch.setattr(views, "enqueue", lambda *args, **kwargs: True)
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(views, "is_served", lambda queue, timeout_seconds: True)


# Answers


def test_a_photo_finds_its_product_first_with_what_a_page_shows(client):
    response = send(client)
    assert response.status_code == 200
    search = search_of(response)
    assert (search["status"], set(search)) == (
        "READY",
        {"id", "status", "expiresAt", "products"},
    )
    first = search["products"]["edges"][0]
    assert first["similarity"] == pytest.approx(1, abs=2e-3)
    assert first["node"]["itemId"] == "2"
    assert first["node"]["primaryImage"]["url"].startswith("/media/")
    assert sorted(item_ids(response)) == ["0", "1", "2", "3"]


def test_filter_page_crop_and_map_are_taken_together(client):
    response = send(
        client,
        filter={"gender": ["WOMEN"]},
        first=1,
        crop={"left": 0, "top": 0, "right": 1, "bottom": 1},
        map_content=map_with_garment(SIZE),
    )
    search = search_of(response)
    assert item_ids(response) == ["2"]
    assert search["products"]["pageInfo"]["hasNextPage"]
    after = search["products"]["pageInfo"]["endCursor"]
    place = f"{PLACE}/{search['id']}"
    rest = client.get(place, {"filter": '{"gender": ["WOMEN"]}', "after": after})
    assert item_ids(rest) == ["0"]
    assert sorted(item_ids(client.get(place, {"filter": '{"gender": ["MEN"]}'}))) == ["1", "3"]


def test_an_earlier_photo_is_searched_again_by_another_crop(client):
    first = search_of(send(client))
    again = send(client, "", search=first["id"], crop=LEFT_HALF)
    assert again.status_code == 200
    assert search_of(again)["id"] != first["id"]
    assert code(send(Client(), "", search=first["id"])) == "NOT_FOUND"
    assert code(send(client, "", search="x")) == "BAD_USER_INPUT"


def test_graphql_tells_the_same(client, ask):
    search = search_of(send(client))
    answer = ask(ASK, id=search["id"])["data"]["photoSearch"]
    edge = search["products"]["edges"][0]
    assert answer == {
        "status": "READY",
        "error": None,
        "products": {
            "edges": [{"similarity": edge["similarity"], "node": {"itemId": "2"}}],
        },
    }


def test_an_answer_that_takes_longer_is_asked_for_again(client, nobody_works):
    response = send(client, filter={"gender": ["MEN"]}, first=1)
    assert response.status_code == 202
    search = search_of(response)
    assert (search["status"], search["products"]) == ("WAITING", None)
    assert response["Retry-After"] == "1"
    again = client.get(response["Location"])
    assert (again.status_code, again["Location"]) == (202, response["Location"])
    search_by_photo.run(search["id"])
    settled = client.get(response["Location"])
    assert settled.status_code == 200
    assert item_ids(settled)[0] in ("1", "3")


def test_vectors_of_other_weights_are_never_compared(client, catalogue, ask):
    search = search_of(send(client))
    catalogue.weights_sha256 = "0" * 64
    catalogue.save()
    response = client.get(f"{PLACE}/{search['id']}")
    assert (response.status_code, code(response)) == (503, "UNAVAILABLE")
    assert ask(ASK, id=search["id"])["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


# Who


def test_a_stranger_is_known_by_a_cookie_that_scripts_cannot_read(client):
    response = send(client)
    cookie = response.cookies["photo_search"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 3600
    assert cookie.value not in PhotoSearch.objects.get().asker
    assert response["Cache-Control"].endswith("private")
    place = f"{PLACE}/{search_of(response)['id']}"
    assert client.get(place).status_code == 200
    assert code(Client().get(place)) == "NOT_FOUND"


@pytest.fixture
def callers(settings):
    """Clients of everybody who may ask, by name."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    clients = {"stranger": Client(), "other stranger": Client()}
    for name in ("ann", "bea", "clerk"):
        user = User.objects.create_user(name, is_staff=name == "clerk")
        clients[name] = Client()
        clients[name].force_login(user)
    for name in ("key", "other key"):
        key = issue_key(name=name, scopes=Scope.values)[1]
        clients[name] = Client(headers={"Authorization": f"Bearer {key}"})
    return clients


def test_a_search_is_seen_by_whoever_began_it_and_by_nobody_else(callers):
    for owner, client in callers.items():
        place = f"{PLACE}/{search_of(send(client))['id']}"
        seen = {name for name, other in callers.items() if other.get(place).status_code == 200}
        assert seen == {owner}


def test_a_shopper_still_sees_what_the_browser_asked_for_before_the_login(client):
    place = f"{PLACE}/{search_of(send(client))['id']}"
    client.force_login(User.objects.create_user("ann"))
    assert client.get(place).status_code == 200
    client.cookies.pop("photo_search")
    assert client.get(place).status_code == 404


def test_after_its_hour_a_search_is_unknown_even_where_nothing_deleted_it(client):
    search = search_of(send(client))
    PhotoSearch.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = client.get(f"{PLACE}/{search['id']}")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("name", ["x", "00000000-0000-4000-8000-000000000000", "a" * 300])
def test_an_id_of_nothing_is_not_found(client, name):
    response = client.get(f"{PLACE}/{name}")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")


def test_a_session_needs_the_csrf_token_and_a_key_does_not(callers):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="ann"))
    refused = send(browser)
    assert (refused.status_code, code(refused)) == (403, "FORBIDDEN")
    assert not PhotoSearch.objects.exists()
    browser.cookies["csrftoken"] = token = "a" * 32
    assert send(browser, headers={"X-CSRFToken": token}).status_code == 200
    assert send(browser, csrfmiddlewaretoken=token).status_code == 200
    assert send(callers["key"]).status_code == 200


def test_another_origin_is_refused(client):
    foreign = send(client, headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, code(foreign)) == (403, "FORBIDDEN")
    assert send(client, headers={"Origin": "http://testserver"}).status_code == 200


def test_a_rate_limit_counts_photos_too(client, settings):
    settings.FASHREC_RATE_LIMIT = "1/minute"
    address = {"REMOTE_ADDR": f"198.19.{timezone.now().microsecond % 256}.{time.time_ns() % 256}"}
    photo = {"photo": SimpleUploadedFile("x.png", photo_of(2, SIZE))}
    assert client.post(PLACE, photo, **address).status_code == 200
    limited = client.post(PLACE, photo, **address)
    assert (limited.status_code, code(limited)) == (429, "RATE_LIMITED")


# Refusals


def refused(response, status, expected_code, text):
    assert (response.status_code, code(response)) == (status, expected_code), message(response)
    assert text in message(response)
    assert not PhotoSearch.objects.in_work(timezone.now()).exists()


@pytest.mark.parametrize(
    ("fields", "status", "expected_code", "text"),
    [
        ({"content": b"hello"}, 400, "INVALID_IMAGE", "not a JPEG, PNG or WEBP"),
        ({"content": b""}, 400, "INVALID_IMAGE", "empty"),
        ({"content": photo_of(2, (300, 400))[:900]}, 400, "INVALID_IMAGE", "unreadable"),
        ({"content": bytes(uploads.MAX_BYTES + 1)}, 413, "IMAGE_TOO_LARGE", "10 MB"),
        ({"content": photo_of(2, (5001, 5000))}, 413, "IMAGE_TOO_LARGE", "5001 x 5000"),
        ({"content": ""}, 400, "BAD_USER_INPUT", "the field `photo`"),
        ({"map_content": b"no map"}, 400, "INVALID_IMAGE", "segmentation map"),
        ({"crop": "{"}, 400, "BAD_USER_INPUT", "crop must be JSON"),
        ({"crop": "[" * 100_000}, 400, "BAD_USER_INPUT", "crop must be JSON"),
        ({"crop": {"left": 0.9}}, 400, "BAD_USER_INPUT", "crop must be"),
        ({"filter": {"shape": 1}}, 400, "BAD_USER_INPUT", "shape"),
        ({"filter": [1]}, 400, "BAD_USER_INPUT", "filter"),
        ({"filter": {"withinKm": 3}}, 400, "BAD_USER_INPUT", "needs `near`"),
        ({"filter": {"search": "a\0"}}, 400, "BAD_USER_INPUT", "NUL"),
        ({"first": "101"}, 400, "BAD_USER_INPUT", "from 1 to 100"),
        ({"after": "x"}, 400, "BAD_USER_INPUT", "cursor"),
        ({"color": "red"}, 400, "BAD_USER_INPUT", "unknown field 'color'"),
    ],
)
def test_wrong_input_is_refused_by_code_and_in_words(client, fields, status, expected_code, text):
    refused(send(client, **fields), status, expected_code, text)


def test_other_bodies_and_methods_are_refused(client):
    refused(client.post(PLACE, {}, "application/json"), 415, "BAD_USER_INPUT", "multipart")
    refused(send(client, bytes(reading.MAX_BODY_BYTES)), 413, "IMAGE_TOO_LARGE", "10 MB")
    for length in ("", "-1", "ten"):
        response = client.post(PLACE, {"photo": b""}, CONTENT_LENGTH=length)
        refused(response, 411, "BAD_USER_INPUT", "Content-Length")
    broken = client.post(PLACE, b"no parts", "multipart/form-data")
    refused(broken, 400, "BAD_USER_INPUT", "boundary")
    many = {f"file{n}": SimpleUploadedFile("x", b"x") for n in range(101)}
    refused(client.post(PLACE, many), 400, "BAD_USER_INPUT", "The form cannot be read")
    answer = client.get(PLACE)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.json()["errors"][0]["message"].startswith("Send the photo by POST")
    assert client.delete(f"{PLACE}/x").status_code == 405


def test_the_third_photo_is_told_when_to_come_back(client):
    begun(), begun()
    response = send(client)
    assert (response.status_code, code(response), response["Retry-After"]) == (
        429,
        "RATE_LIMITED",
        "2",
    )
    PhotoSearch.objects.all().delete()
    assert send(client).status_code == 200


def test_uploads_take_at_most_two_threads_of_a_process(client):
    with reading.READING, reading.READING:
        response = send(client)
        assert (response.status_code, code(response)) == (429, "RATE_LIMITED")
        assert response["Retry-After"] == "2"
    assert send(client).status_code == 200


def test_without_embeddings_it_says_so(client, catalogue):
    catalogue.is_active = False
    catalogue.save()
    refused(send(client), 503, "UNAVAILABLE", "No product is embedded yet")


def test_without_a_worker_it_says_so_and_frees_its_place(client, nobody_works, monkeypatch):
    monkeypatch.setattr(views, "is_served", lambda queue, timeout_seconds: False)
    for _ in range(3):
        refused(send(client), 503, "UNAVAILABLE", "No worker for photos answers")


def test_without_a_queue_it_says_so(client, monkeypatch):
    monkeypatch.setattr(views, "enqueue", lambda *args, **kwargs: False)
    refused(send(client), 503, "UNAVAILABLE", "The task queue cannot be reached")

    def lost(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(views, "enqueue", lambda *args, **kwargs: True)
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(views, "is_served", lost)
    refused(send(client), 503, "UNAVAILABLE", "No worker for photos answers")


def test_no_file_lies_under_media_or_under_a_name_of_the_clients(client, settings):
    before = set(settings.MEDIA_ROOT.rglob("*"))
    send(client)
    assert set(settings.MEDIA_ROOT.rglob("*")) == before
    (stored,) = private_files.path_of("").iterdir()
    assert len(stored.name) == 32 and int(stored.name, 16)
    assert client.get(f"/media/../private/photo_searches/{stored.name}").status_code == 404
