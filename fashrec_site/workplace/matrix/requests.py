"""What the matrix's page sends: edits as JSON, checked before anything else sees them."""

import json
from math import isfinite
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest

from catalog.similarity.edits import MAX_EDITS, Edit
from catalog.similarity.values import Level, Pair

MAX_KEY = 2**63 - 1


def posted(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        BadRequest: it is none.
    """
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("expected JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("expected a JSON object")
    return body


def edits_of(body: dict[str, Any]) -> list[Edit]:
    """The edits in it.

    Raises:
        BadRequest: they are not what the page sends.
    """
    rows = body.get("edits")
    if not isinstance(rows, list) or len(rows) > MAX_EDITS:
        raise BadRequest(f"expected at most {MAX_EDITS:,} edits")
    return [_edit(row) for row in rows]


def edits_as_json(edits: list[Edit]) -> list[dict[str, Any]]:
    """Edits for the page."""
    return [{"level": e.level, "a": e.a_id, "b": e.b_id, "similarity": e.similarity} for e in edits]


def refusals_as_json(reasons: dict[Pair, str]) -> list[dict[str, Any]]:
    """Why which cells were refused, for the page."""
    return [
        {"level": level, "a": a, "b": b, "reason": reason}
        for (level, a, b), reason in reasons.items()
    ]


def _edit(row: Any) -> Edit:
    try:
        return Edit(
            level=Level(row["level"]),
            a_id=_key(row["a"]),
            b_id=_key(row["b"]),
            similarity=_number(row["similarity"]),
            seen=_number(row["seen"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("expected edits with level, a, b, similarity and seen") from error


def _key(value: Any) -> int:
    if type(value) is not int or not 0 < value <= MAX_KEY:
        raise ValueError("no key")
    return value


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not isfinite(value):
        raise ValueError("no number")
    return float(value)
