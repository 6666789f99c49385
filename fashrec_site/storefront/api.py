"""The storefront's way to data: its own GraphQL queries, asked as the visitor.

They run in this process, under the same permissions, limits and errors as over HTTP. A storefront
elsewhere sends the same texts to `/graphql/`.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from strawberry.django.context import StrawberryDjangoContext

from fashrec_site.schema import schema

QUERIES = Path(__file__).with_name("queries")
FRAGMENTS = "fragments"


class ApiError(Exception):
    """The API refused; `code` is one of docs/api.md, `fields` the messages by input field."""

    def __init__(self, code: str, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.fields = fields or {}


def ask(request: HttpRequest, name: str, **variables: Any) -> dict[str, Any]:
    """`data` of the query `queries/<name>.graphql`, with the permissions of the request.

    Raises:
        ApiError: the answer has errors; the first of them.
    """
    context = StrawberryDjangoContext(request=request, response=HttpResponse())
    answer = schema.execute_sync(query_text(name), variable_values=variables, context_value=context)
    if answer.errors:
        error = answer.errors[0]
        raise ApiError(error.extensions["code"], error.message) from error
    return answer.data


def change(request: HttpRequest, name: str, **variables: Any) -> dict[str, Any]:
    """The result of the one mutation in `queries/<name>.graphql`.

    Raises:
        ApiError: it could not be done; with a message for each input that was wrong.
    """
    (result,) = ask(request, name, **variables).values()
    messages: Sequence[dict[str, str]] = result.get("messages", ())
    if messages:
        fields = {m["field"]: m["message"] for m in messages if m["field"]}
        raise ApiError(messages[0]["code"], messages[0]["message"], fields)
    return result


@cache
def query_text(name: str) -> str:
    """A query with the shared fragments that it spreads."""
    text = (QUERIES / f"{name}.graphql").read_text(encoding="utf-8")
    shared = (QUERIES / f"{FRAGMENTS}.graphql").read_text(encoding="utf-8")
    used = [part for part in _fragments(shared) if f"...{_name(part)}" in text]
    return "\n".join([text, *used])


def _fragments(text: str) -> list[str]:
    return [f"fragment {part}" for part in text.split("fragment ")[1:]]


def _name(fragment: str) -> str:
    return re.match(r"fragment (\w+)", fragment)[1]
