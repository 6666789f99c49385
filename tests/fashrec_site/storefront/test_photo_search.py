"""Search by photo in the browser. The worker is a fake: its network is tested elsewhere."""

import re
import threading
import time
from base64 import b64encode

import numpy as np
import pytest
from playwright.sync_api import expect

from embeddings.photo_search.services import settle
from tests.factories import photo_bytes
from tests.fashrec_site.storefront.conftest import WINDOWS
from tests.fashrec_site.storefront.test_layout import violations

PHOTO = {
    "name": "mine.jpg",
    "mimeType": "image/jpeg",
    "buffer": photo_bytes((90, 20, 40), (240, 320), "JPEG"),
}
DROP = """async (photo) => {
    const bytes = Uint8Array.from(atob(photo), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "dropped.png", {type: "image/png"}));
    const drop = {dataTransfer: transfer, bubbles: true, cancelable: true};
    document.getElementById("photo-form").dispatchEvent(new DragEvent("drop", drop));
}"""


@pytest.fixture
def worker(monkeypatch):
    """Looks at each photo after the first answer, so that the page has to ask again."""

    def enqueue(task, search_id, **_):
        threading.Thread(target=look, args=[search_id]).start()
        return True

    def look(search_id):
        from django.db import connection

        time.sleep(0.3)
        settle(search_id=search_id, outcome=np.float32([1, 0, 0]))
        connection.close()

    views = "fashrec_site.photo_search.views"
    monkeypatch.setattr(f"{views}.enqueue", enqueue)
    monkeypatch.setattr(f"{views}.WAIT_SECONDS", 0.05)
    monkeypatch.setattr(f"{views}._is_worker_there", lambda: True)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_chosen_photo_is_shown_and_answered_with_what_looks_like_it(visit, worker, window):
    page = visit.page
    visit.open("/photo/")
    assert violations(page) == []
    page.get_by_label("Choose a photo").set_input_files(PHOTO)
    expect(page.get_by_alt_text("Your photo")).to_be_visible()
    expect(page.get_by_role("heading", name="Looks like your photo")).to_be_visible()
    cards = page.locator("#matches .card")
    expect(cards).to_have_count(48)
    expect(page).to_have_url(re.compile(r"/photo/\?search=[0-9a-f-]{36}$"))
    assert violations(page) == []
    page.get_by_label("Price up to").fill("20")
    page.get_by_label("Price up to").press("Tab")
    expect(cards).to_have_count(10)
    page.reload()
    expect(cards).to_have_count(10)
    assert visit.complaints == []


def test_a_dropped_photo_is_searched_for_and_nobody_else_sees_what_was_found(
    visit, new_visit, worker
):
    visit.open("/photo/")
    visit.page.evaluate(DROP, b64encode(photo_bytes(size=(64, 64))).decode())
    expect(visit.page.locator("#matches .card")).to_have_count(48)
    other = new_visit()
    other.open(visit.page.url.removeprefix(visit.base))
    expect(other.page.get_by_role("alert")).to_contain_text("No such search")


def test_what_is_no_photo_is_refused_in_words(visit, worker):
    visit.open("/photo/")
    text = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo at all"}
    visit.page.get_by_label("Choose a photo").set_input_files(text)
    expect(visit.page.locator("#progress")).to_contain_text("photo")
    expect(visit.page.locator("#progress")).not_to_contain_text("Looking")
    expect(visit.page.locator("#matches .card")).to_have_count(0)
