"""Who may read which GraphQL field: the reviewed file, and what the server does about it.

`permissions.txt` has a line for every field of every type. `python -m tests.permission_matrix` adds
the lines that are missing, as "?", for a person to fill in; tests fail until that is done.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

MATRIX = Path(__file__).with_name("permissions.txt")
CALLERS = ("anonymous", "shopper", "other", "bare-key", "key", "staff")
REFUSALS = {"NOT_FOUND", "FORBIDDEN", "UNAUTHENTICATED"}
MAX_DEPTH = 9  # of a generated selection; no field is only to be found deeper


def read_matrix() -> dict[str, dict[str, str]]:
    """By field, what each caller gets: yes, no or ?."""
    rows = {}
    for number, line in enumerate(MATRIX.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        field, *answers = line.split()
        assert len(answers) == len(CALLERS), f"permissions.txt:{number}: expected {CALLERS}"
        assert field not in rows, f"permissions.txt:{number}: {field} comes twice"
        rows[field] = dict(zip(CALLERS, answers, strict=True))
    return rows


def write_matrix(rows: dict[str, dict[str, str]]) -> None:
    """Sort and align the lines, under the comment that the file begins with."""
    lines = MATRIX.read_text(encoding="utf-8").splitlines()
    comment = [line for line in lines if line.startswith("#")]
    width = max(map(len, rows)) + 2
    for field in sorted(rows, key=_order):
        answers = "".join(f"{rows[field][caller]:<11}" for caller in CALLERS)
        comment.append(f"{field:<{width}}{answers}".rstrip())
    MATRIX.write_text("\n".join(comment) + "\n", encoding="utf-8")


def _order(field: str) -> tuple[int, str]:
    """Queries, mutations, then the types."""
    type_name = field.partition(".")[0]
    return ({"Query": 0, "Mutation": 1}.get(type_name, 2), field)


def schema_fields(schema: GraphQLSchema) -> set[str]:
    """Every field of every object type, as Type.field."""
    return {
        f"{name}.{field}"
        for name, kind in schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
        for field in kind.fields
    }


def selection(schema: GraphQLSchema, kind: GraphQLNamedType, above: tuple[str, ...] = ()) -> str:
    """Every field below a type; a type inside itself is left out."""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        parts = [
            f"... on {member.name} {selection(schema, member, above)}"
            for member in schema.get_possible_types(kind)
            if member.name not in above
        ]
        return "{ __typename " + " ".join(parts) + " }"
    if not isinstance(kind, GraphQLObjectType):
        return ""
    above = (*above, kind.name)
    parts = ["__typename"]
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if inner.name not in above and len(above) < MAX_DEPTH:
            parts.append(f"{name} {selection(schema, inner, above)}")
    return "{ " + " ".join(parts) + " }"


def seen_fields(data: Any) -> Iterator[str]:
    """Type.field of everything in an answer to `selection`."""
    if isinstance(data, list):
        for item in data:
            yield from seen_fields(item)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key != "__typename":
                yield f"{data['__typename']}.{key}"
                yield from seen_fields(value)


def refusal(answer: dict[str, Any], value: Any) -> str | None:
    """Why the root field was refused; None where it answered, with whatever message."""
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    if isinstance(value, dict):
        codes |= {message["code"] for message in value.get("messages", [])}
    assert codes <= REFUSALS | {"BAD_USER_INPUT"}, answer
    return next(iter(codes & REFUSALS), None)


def main() -> None:
    """Add what is missing, drop what is gone."""
    import django

    django.setup()
    from fashrec_site.schema import schema

    fields, rows = schema_fields(schema._schema), read_matrix()
    unknown = dict.fromkeys(CALLERS, "?")
    write_matrix({field: rows.get(field, unknown) for field in fields})
    sys.stdout.write(f"{len(fields - set(rows))} fields added, {len(set(rows) - fields)} removed\n")


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashrec_site.settings")
    main()
