"""Random GraphQL queries from the schema itself: mostly valid, always nasty in their values."""

import base64
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
    is_union_type,
)

MAX_DEPTH = 7
TEXTS = (
    "", " ", "x", "Dresses", "red dress", "drses", "%", "_", "\\", '"', "'; DROP TABLE x; --",
    "a & | ! ( : *", "\x00", "\ud800", "\u202e", "💃", "ß" * 300, "x" * 5_000, "NaN", "null", "-0",
    "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1e999", "10.00",
    "00000000-0000-0000-0000-000000000000", "{}", "[", "rank:1", "item-0", "fuzz-shopper",
)  # fmt: skip
INTEGERS = (0, 1, 2, 5, 20, 99, 100, 101, -1, 2**31 - 1, -(2**31), 2**31, 2**63)
FLOATS = (0.0, -0.0, 0.5, 1.0, 90.0, -180.0, 48.2, 1e-320, 1e308, -1e308, 5e3, 1e400)
KEYS = ("1", "0", "-1", "x", "", str(2**63), "9" * 40)
CURSORS = ("rank:3", "orderedcursor:[]", 'orderedcursor:["1"]', 'orderedcursor:["x", null]')


@dataclass(frozen=True)
class FuzzedQuery:
    """A request's body, as a client would send it."""

    query: str
    variables: dict[str, Any]


class QueryFuzzer:
    """Draws queries; the same seed draws the same ones."""

    def __init__(self, schema: GraphQLSchema, seed: int) -> None:
        self.schema = schema
        self.random = Random(seed)
        names = [name for name, kind in schema.type_map.items() if is_object_type(kind)]
        self.ids = [_base64(f"{name}:{key}") for name in names for key in KEYS]
        self._variables: dict[str, tuple[str, Any]] = {}

    def draw(self) -> FuzzedQuery:
        """One request; in one of fifty the text is damaged."""
        self._variables = {}
        is_mutation = self.random.random() < 0.15
        root = self.schema.mutation_type if is_mutation else self.schema.query_type
        selections = self._selections(root, MAX_DEPTH)
        header = ", ".join(f"${name}: {kind}" for name, (kind, _) in self._variables.items())
        query = f"{'mutation' if is_mutation else 'query'} Q{f'({header})' if header else ''} "
        variables = {name: value for name, (_, value) in self._variables.items()}
        return FuzzedQuery(self._damaged(query + selections), variables)

    def _damaged(self, query: str) -> str:
        if self.random.random() > 0.02:
            return query
        at = self.random.randrange(len(query))
        return query[:at] + self.random.choice(["", "}", "{", "...F", "@skip", '"', "\x00", "$"])

    def _selections(self, parent: GraphQLNamedType, depth: int) -> str:
        chosen = [self._spread(parent, depth)] if is_union_type(parent) else []
        fields = getattr(parent, "fields", {})
        names = self.random.sample(list(fields), min(len(fields), self.random.randint(1, 4)))
        for number, name in enumerate(names):
            alias = f"a{number}: " if self.random.random() < 0.1 else ""
            field = self._field(name, fields[name], depth)
            chosen += [alias + field] if field else []
        if is_interface_type(parent):
            chosen.append(self._spread(parent, depth))
        return "{ " + " ".join([*chosen, "__typename"]) + " }"

    def _spread(self, parent: GraphQLNamedType, depth: int) -> str:
        concrete = self.random.choice(self.schema.get_possible_types(parent))
        return f"... on {concrete.name} {self._selections(concrete, depth - 1)}"

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        named = get_named_type(field.type)
        if is_composite_type(named) and depth <= 0:
            return ""
        arguments = ", ".join(
            f"{argument}: {self._argument(field.args[argument].type)}"
            for argument in field.args
            if self._is_given(field.args[argument])
        )
        below = " " + self._selections(named, depth - 1) if is_composite_type(named) else ""
        skipped = " @include(if: true)" if self.random.random() < 0.02 else ""
        return f"{name}{f'({arguments})' if arguments else ''}{skipped}{below}"

    def _is_given(self, argument: GraphQLArgument | GraphQLInputField) -> bool:
        is_argument = isinstance(argument, GraphQLArgument)
        needed = is_required_argument if is_argument else is_required_input_field
        return self.random.random() < (0.98 if needed(argument) else 0.4)

    def _argument(self, kind: GraphQLInputType) -> str:
        """A literal, or a variable with its value."""
        value = self._value(kind)
        if self.random.random() < 0.5 or _has_no_literal(value):
            name = f"v{len(self._variables)}"
            self._variables[name] = (str(kind), value)
            return f"${name}"
        return _literal(value)

    def _value(self, kind: GraphQLInputType) -> Any:
        if self.random.random() < 0.02:
            return self.random.choice([None, 5, "x", [], {}, [[]], True])
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type)
        if self.random.random() < 0.03:
            return None
        if isinstance(kind, GraphQLList):
            n_items = self.random.choice([0, 1, 1, 2, 3, 101])
            return [self._value(kind.of_type) for _ in range(n_items)]
        if isinstance(kind, GraphQLInputObjectType):
            given = {name: field for name, field in kind.fields.items() if self._is_given(field)}
            return {name: self._value(field.type) for name, field in given.items()}
        return self._leaf(kind)

    def _leaf(self, kind: GraphQLNamedType) -> Any:
        choose = self.random.choice
        if isinstance(kind, GraphQLEnumType):
            return _Name(choose([*kind.values, *kind.values, "NO_SUCH_VALUE"]))
        if kind.name == "Boolean":
            return choose([True, False])
        if kind.name == "Int":
            return choose(INTEGERS)
        if kind.name in ("Float", "Decimal"):
            return choose([*FLOATS, *INTEGERS])
        if kind.name == "ID":
            return choose([*self.ids, *TEXTS])
        return choose([*TEXTS, *(_base64(cursor) for cursor in CURSORS)])


class _Name(str):
    """An enum's value, which a literal writes without quotes."""

    __slots__ = ()


def _literal(value: Any) -> str:
    if isinstance(value, _Name):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value)


def _has_no_literal(value: Any) -> bool:
    """JSON can say Infinity, in a variable."""
    return "Infinity" in json.dumps(value)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
