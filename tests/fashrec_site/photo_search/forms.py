"""Sending photos as a storefront does, and reading what comes back."""

import json

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.embeddings.drawn_photos import photo_of
from tests.embeddings.photo_search.worlds import SIZE

PLACE = "/search/photo"


def send(client, content=None, *, map_content=None, headers=None, **fields):
    """The response to a form; `content` is the photo's, "" for none, by default product 2's."""
    content = photo_of(2, SIZE) if content is None else content
    files = {} if content == "" else {"photo": SimpleUploadedFile("../x\0.jpg", content)}
    if map_content is not None:
        files["segmentation_map"] = SimpleUploadedFile("map.png", map_content)
    fields = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
    return client.post(PLACE, fields | files, headers=headers or {})


def code(response):
    """The error's code; the answer has no data then."""
    answer = response.json()
    assert answer["data"] is None
    return answer["errors"][0]["extensions"]["code"]


def message(response):
    """The error's message."""
    return response.json()["errors"][0]["message"]


def search_of(response):
    """The search in an answer without errors."""
    answer = response.json()
    assert "errors" not in answer, answer
    return answer["data"]["photoSearch"]


def item_ids(response):
    """The products, in their order."""
    return [edge["node"]["itemId"] for edge in search_of(response)["products"]["edges"]]
