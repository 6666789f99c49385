"""Docstrings as descriptions in the GraphQL schema, so that nothing is said twice."""

import inspect
from typing import Any

from graphql import GraphQLNamedType, GraphQLSchema, is_union_type
from strawberry.schema.schema_converter import GraphQLCoreConverter

# The library says of `last` what is true of `after`.
PAGE_ARGUMENTS = {
    "first": "How many, 1 to 100; 20 where not said.",
    "after": "Go on after the edge with this cursor.",
    "last": "How many from the end, 1 to 100; not together with `first`.",
    "before": "End before the edge with this cursor.",
}


def describe_from_docstrings(schema: GraphQLSchema) -> None:
    """Give every type and field without a description its class's or resolver's docstring."""
    for named in schema.type_map.values():
        definition = named.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if definition is not None and not named.description:
            origin = getattr(definition, "origin", None) or getattr(definition, "wrapped_cls", None)
            named.description = _docstring(origin)
        if is_union_type(named) and not named.description:
            named.description = "The result, or what was wrong with the request."
        _describe_fields(named)


def _describe_fields(named: GraphQLNamedType) -> None:
    for graphql_field in getattr(named, "fields", {}).values():
        field = graphql_field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        resolver = getattr(field, "base_resolver", None)
        if resolver is not None and not graphql_field.description:
            graphql_field.description = _docstring(resolver.wrapped_func)
        arguments = getattr(graphql_field, "args", {})
        if arguments.keys() >= PAGE_ARGUMENTS.keys():
            for name, description in PAGE_ARGUMENTS.items():
                arguments[name].description = description


def _docstring(documented: Any) -> str | None:
    text = getattr(documented, "__doc__", None)
    return inspect.cleandoc(text) if text else None
