"""Docstrings as descriptions in the GraphQL schema, so that nothing is said twice."""

import inspect
from typing import Any

from graphql import GraphQLNamedType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter


def describe_from_docstrings(schema: GraphQLSchema) -> None:
    """Give every type and field without a description its class's or resolver's docstring."""
    for named in schema.type_map.values():
        definition = named.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if definition is not None and not named.description:
            origin = getattr(definition, "origin", None) or getattr(definition, "wrapped_cls", None)
            named.description = _docstring(origin)
        _describe_fields(named)


def _describe_fields(named: GraphQLNamedType) -> None:
    for graphql_field in getattr(named, "fields", {}).values():
        field = graphql_field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        resolver = getattr(field, "base_resolver", None)
        if resolver is not None and not graphql_field.description:
            graphql_field.description = _docstring(resolver.wrapped_func)


def _docstring(documented: Any) -> str | None:
    text = getattr(documented, "__doc__", None)
    return inspect.cleandoc(text) if text else None
