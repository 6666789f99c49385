"""Web server and worker as they are run: the answer comes from another process, two at a time."""

import http.client
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from embeddings.models import PhotoSearch
from embeddings.photo_search import private_files, uploads
from tests.embeddings.drawn_photos import photo_of
from tests.embeddings.photo_search.worlds import (
    SIZE,
    embedded_catalogue,
    empty_queue,
    photo_worker,
)
from tests.embeddings.worker_process import wait_for
from tests.fashrec_site.photo_search.forms import PLACE
from tests.fashrec_site.web_server import web_server

BOUNDARY = "----a-boundary"
# Each photo is held until the test lets go of it.
HELD = """
import time
from pathlib import Path
from embeddings.photo_search import tasks
photo_vector = tasks.photo_vector
def held(search):
    while not Path({gate!r}).exists():
        time.sleep(0.02)
    return photo_vector(search)
tasks.photo_vector = held
"""


def request(port, method, place, body=None, **headers):
    """Status, headers and JSON of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, place, body, headers)
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())
    finally:
        connection.close()


def send(port, content):
    """POST a photo as a browser does: once more, when the connection breaks while it is sent."""
    try:
        return send_once(port, content)
    except (BrokenPipeError, ConnectionResetError):
        return send_once(port, content)


def send_once(port, content):
    """Status, headers and JSON of one POST."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="x.png"\r\n'
    body = f"{head}Content-Type: image/png\r\n\r\n".encode() + content
    body += f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return request(port, "POST", PLACE, body, **{"Content-Type": kind})


def ten_megabytes(seed):
    """A photo padded behind its end, which readers ignore."""
    content = photo_of(seed, SIZE)
    return content + bytes(uploads.MAX_BYTES - len(content))


@pytest.mark.django_db(transaction=True)
def test_two_photos_are_searched_for_and_the_others_come_back_later(tmp_path):
    embedded_catalogue()
    gate = tmp_path / "gate"
    empty_queue()
    with web_server(tmp_path) as port, ThreadPoolExecutor(20) as clients:
        status, _, answer = send(port, photo_of(1, SIZE))
        assert (status, answer["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")

        with photo_worker(tmp_path, HELD.format(gate=str(gate))) as worker:
            photos = [ten_megabytes(seed % 4) for seed in range(20)]
            answers = list(clients.map(send, [port] * 20, photos))
            assert Counter(status for status, _, _ in answers) == {202: 2, 429: 18}
            assert {h["Retry-After"] for status, h, _ in answers if status == 429} == {"2"}

            gate.touch()
            wait_for(lambda: not PhotoSearch.objects.unsettled().exists(), worker)
            for _, headers, _ in (answer for answer in answers if answer[0] == 202):
                cookie = re.match("photo_search=[^;]+", headers["Set-Cookie"])[0]
                status, _, found = request(port, "GET", headers["Location"], Cookie=cookie)
                assert status == 200
                edges = found["data"]["photoSearch"]["products"]["edges"]
                assert edges[0]["similarity"] == pytest.approx(1, abs=2e-3)
                assert request(port, "GET", headers["Location"])[0] == 404

            status, _, found = send(port, photo_of(3, SIZE))
            assert status == 200
            first = found["data"]["photoSearch"]["products"]["edges"][0]["node"]
            assert first["itemId"] == "3"
            kept = [path.read_bytes()[:2] for path in private_files.path_of("").iterdir()]
            assert kept == [b"\xff\xd8"] * 3  # as JPEG, whatever was sent
