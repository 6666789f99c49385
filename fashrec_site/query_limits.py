"""Limits on GraphQL queries, told before anything runs; the cost is in every answer.

The library's limiters walk into a fragment each time it is spread, which doubles their work at
every step of a chain; these do not.
"""

import re
from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension

from catalog.graphql_errors import ErrorCode, bad_user_input, coded_error
from fashrec_site.query_size import QueryMeasure, QuerySize, written_selections

# Validation compares written fields pairwise: 480 of them took 0.5 s, 200 under 0.1 s.
MAX_FIELDS = 200
MAX_TOKENS = 1_000
MAX_CHARACTERS = 20_000  # comments are no tokens; a megabyte of them takes 0.2 s to skip
MAX_DEPTH = 15  # what GraphiQL's introspection needs; our own types need less
MAX_ALIASES = 15
MAX_COST = 2_000
# PostgreSQL stores no NUL and UTF-8 no lone surrogate; a document may spell the former out.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
SPELT_NUL = re.compile(r"\\u(?:0000|\{0+\})")


class QueryLimits(SchemaExtension):
    """Refuses what is too large or unstorable, and adds `extensions.cost` to every answer."""

    requested: int | None = None  # None: refused before it could be priced

    def on_operation(self) -> Iterator[None]:
        """Before parsing: the text itself."""
        self.execution_context.parse_options["max_tokens"] = MAX_TOKENS
        query = self.execution_context.query or ""
        if len(query) > MAX_CHARACTERS:
            raise _too_expensive(f"{len(query)} characters", MAX_CHARACTERS)
        if SPELT_NUL.search(query) or _has_unstorable([query, self.execution_context.variables]):
            raise bad_user_input("Text must hold neither NUL nor lone surrogates.")
        yield

    def on_validate(self) -> Iterator[None]:
        """Before validation, whose own work grows with what is limited here."""
        refusal = self._refusal()
        if refusal is not None:
            self.execution_context.pre_execution_errors = [refusal]
        yield

    def get_results(self) -> dict[str, Any]:
        """`extensions.cost`."""
        return {"cost": {"requested": self.requested, "maximum": MAX_COST}}

    def _refusal(self) -> GraphQLError | None:
        selections = list(written_selections(self.execution_context.graphql_document))
        if not all(selections):  # graphql-core parses and answers them
            return bad_user_input("Braces must select something: { } is empty.")
        n_fields = sum(map(len, selections))
        if n_fields > MAX_FIELDS:
            return _too_expensive(f"{n_fields} fields", MAX_FIELDS)
        try:
            size = self._size()
        except RecursionError:
            return _too_expensive("fragments nested hundreds of levels deep", MAX_DEPTH)
        self.requested = size.cost
        for name, value, maximum in (
            ("a depth of", size.depth, MAX_DEPTH),
            ("a number of aliases of", size.aliases, MAX_ALIASES),
            ("a cost of", size.cost, MAX_COST),
        ):
            if value > maximum:
                return _too_expensive(f"{name} {value}", maximum)
        return None

    def _size(self) -> QuerySize:
        """The largest depth and the aliases of all operations; the cost of the one that runs."""
        context = self.execution_context
        measure = QueryMeasure(context.schema._schema, context.graphql_document, context.variables)
        total, cost = QuerySize(), 0
        for operation in measure.operations:
            size = measure.of_operation(operation)
            total = total.beside(size)
            if operation.name is None or operation.name.value == context.operation_name:
                cost = size.cost
        return QuerySize(total.depth, total.aliases, cost)


def _too_expensive(what: str, maximum: int) -> GraphQLError:
    return coded_error(
        ErrorCode.QUERY_TOO_EXPENSIVE, f"The query has {what}; at most {maximum} is allowed."
    )


def _has_unstorable(values: list[Any]) -> bool:
    """Whether any text in `values`, nested as JSON is, cannot be stored."""
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if UNSTORABLE.search(value):
                return True
        elif isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value
    return False
