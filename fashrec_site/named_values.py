"""Where in a request a value stands that GraphQL could not read: its own message may not say."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import ArgumentNode, DocumentNode, ObjectFieldNode, ObjectValueNode, ValueNode
from graphql.language import ListValueNode, Node

UNREADABLE = re.compile(r"Value cannot represent an? \w+: (?P<value>.*)\.", re.DOTALL)


def named(message: str, document: DocumentNode | None, variables: Mapping[str, Any] | None) -> str:
    """The message, with the arguments or the variable before it that such a value was given in.

    Such as "filter.store: Value cannot represent a GlobalID: ..."; as it is where it names its
    place already, or none is found.
    """
    match = UNREADABLE.fullmatch(message)
    if match is None:
        return message
    given = [(f"${name}", value) for name, value in _leaves(variables or {})]
    given += _literals(document)
    places = [
        name
        for name, value in given
        if json.dumps(value, ensure_ascii=False, default=str) == match["value"]
    ]
    return f"{', '.join(dict.fromkeys(places))}: {message}" if places else message


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each scalar of nested variables with the path to it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{name}.{place}")
    else:
        yield name, value


def _literals(node: Node | None) -> Iterator[tuple[str, str]]:
    """Each literal of the document's arguments with the path to it."""
    if isinstance(node, ArgumentNode):
        yield from _values(node.value, node.name.value)
    elif node is not None:
        for key in node.keys:
            inner = getattr(node, key, None)
            for child in inner if isinstance(inner, list | tuple) else [inner]:
                if isinstance(child, Node):
                    yield from _literals(child)


def _values(node: ValueNode, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ObjectValueNode):
        for field in node.fields:
            yield from _of_field(field, name)
    elif isinstance(node, ListValueNode):
        for place, inner in enumerate(node.values):
            yield from _values(inner, f"{name}.{place}")
    elif hasattr(node, "value"):
        yield name, node.value


def _of_field(field: ObjectFieldNode, name: str) -> Iterator[tuple[str, str]]:
    yield from _values(field.value, f"{name}.{field.name.value}")
