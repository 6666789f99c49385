"""What a request for a search by photo says, checked; the photo's pixels are looked at later."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from embeddings.photo_search.crops import CropBox
from embeddings.photo_search.refusals import PhotoRefused
from embeddings.photo_search.services import NewPhoto
from embeddings.photo_search.uploads import check_map, check_photo

DEFAULT_FIRST = 20
KNOWN_FIELDS = {"photo", "search", "segmentation_map", "crop", "filter", "first", "after"}
KNOWN_FIELDS |= {"csrfmiddlewaretoken"}


@dataclass(frozen=True)
class WantedPage:
    """Which of the products that look like the photo the answer shows."""

    filter: Any = None  # GraphQL's ProductFilter as JSON, which GraphQL checks
    first: int = DEFAULT_FIRST
    after: str | None = None

    def variables(self) -> dict[str, Any]:
        """For the query that answers."""
        return {"filter": self.filter, "first": self.first, "after": self.after}


@dataclass(frozen=True)
class PhotoForm:
    """A photo, or an earlier search whose photo is taken again, and the part that counts."""

    photo: NewPhoto | None
    earlier: uuid.UUID | None
    crop: CropBox | None
    page: WantedPage


def read_form(request: HttpRequest) -> PhotoForm:
    """The form of a POST.

    Raises:
        PhotoRefused: BAD_USER_INPUT, INVALID_IMAGE or IMAGE_TOO_LARGE, naming what is wrong.
    """
    fields = request.POST
    for name in {*fields, *request.FILES} - KNOWN_FIELDS:
        known = ", ".join(sorted(KNOWN_FIELDS - {"csrfmiddlewaretoken"}))
        raise PhotoRefused("BAD_USER_INPUT", f"unknown field {name[:50]!r}; there are {known}.")
    crop = _json("crop", fields.get("crop"))
    box = None if crop is None else CropBox.parse(crop)
    page = read_page(fields)
    if "search" in fields and "photo" not in request.FILES:
        return PhotoForm(None, _key(fields["search"]), box, page)
    return PhotoForm(_photo(request), None, box, page)


def read_page(fields: QueryDict) -> WantedPage:
    """Filter, `first` and `after`.

    Raises:
        PhotoRefused: BAD_USER_INPUT.
    """
    first = fields.get("first") or str(DEFAULT_FIRST)
    if not (first.isascii() and first.isdigit() and 1 <= int(first[:4]) <= 100):
        raise PhotoRefused("BAD_USER_INPUT", f"first must be from 1 to 100; got {first[:20]!r}.")
    return WantedPage(
        filter=_json("filter", fields.get("filter")),
        first=int(first),
        after=fields.get("after") or None,
    )


def _photo(request: HttpRequest) -> NewPhoto:
    if "photo" not in request.FILES:
        raise PhotoRefused("BAD_USER_INPUT", "Send the photo as a file in the field `photo`.")
    content = request.FILES["photo"].read()
    check_photo(content)
    if "segmentation_map" not in request.FILES:
        return NewPhoto(content)
    map_content = request.FILES["segmentation_map"].read()
    check_map(map_content)
    return NewPhoto(content, map_content)


def _json(name: str, text: str | None) -> Any:
    """The field's value; None where it is absent or empty."""
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PhotoRefused("BAD_USER_INPUT", f"{name} must be JSON: {error}.") from error


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise PhotoRefused("BAD_USER_INPUT", "search must be the id of a search.") from error
