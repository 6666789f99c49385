"""Fields that need nothing of the library are read past its wrappers around resolvers.

strawberry-django prepares each field of a model's type to be a relation that may need a statement,
to look for arguments and to be awaited, and its optimizer looks at what every field gives. A column
or relation that is loaded needs none of it, nor does a resolver that takes only its row. An answer
to `recommendations` has some 500 fields, nearly all of them such.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from graphql import (
    GraphQLField,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry_django.fields.field import StrawberryDjangoField
from strawberry_django.optimizer import DjangoOptimizerExtension, optimizer

Resolver = Callable[..., Any]


class OptimizerOfOtherFields(DjangoOptimizerExtension):
    """The library's optimizer, which no longer looks at every field: `read_plainly` says which."""

    resolve = SchemaExtension.resolve


def read_plainly(schema: GraphQLSchema) -> None:
    """Give every field that has no argument or extension of its own the shortest resolver.

    The other ones of our types keep theirs, behind the optimizer.
    """
    for named in filter(is_object_type, schema.type_map.values()):
        for graphql_field in named.fields.values():
            field = graphql_field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if isinstance(field, StrawberryField):
                library = graphql_field.resolve
                graphql_field.resolve = _resolver(graphql_field, field) or _optimized(library)


def _resolver(graphql_field: GraphQLField, field: StrawberryField) -> Resolver | None:
    """What reads the field; None where there is more to it."""
    if graphql_field.args or field.extensions:
        return None
    if field.base_resolver is not None:
        is_list = is_list_type(get_nullable_type(graphql_field.type))
        return None if is_list else _calling(field)
    if not isinstance(field, StrawberryDjangoField):
        return _attribute(field.python_name) if field.is_basic_field else None
    column = _column(field)
    if column is None:
        return None
    if column.is_relation:
        return _loaded(column, graphql_field.resolve)
    is_value = is_leaf_type(get_named_type(graphql_field.type))
    return _attribute(column.name) if is_value else None


def _column(field: StrawberryDjangoField) -> Field | None:
    """The model's column that the field is; a foreign key counts as one."""
    owner = field.origin_django_type
    try:
        found = owner and owner.model._meta.get_field(field.django_name or field.python_name)
    except FieldDoesNotExist:
        return None
    return found if found is not None and found.concrete and not found.many_to_many else None


def _attribute(name: str) -> Resolver:
    def read(source: object, info: object) -> Any:
        return getattr(source, name)

    return read


def _loaded(relation: Field, otherwise: Resolver) -> Resolver:
    """The related row where it is loaded, and else what the library does."""

    def read(source: Model, info: object) -> Any:
        if relation.is_cached(source):
            return relation.get_cached_value(source)
        return otherwise(source, info)

    return read


def _calling(field: StrawberryField) -> Resolver | None:
    """The field's own resolver, where it takes nothing but its row."""
    own = field.base_resolver
    if field.is_async or list(own.signature.parameters) != ["self"]:
        return None

    def call(source: object, info: object) -> Any:
        return own.wrapped_func(source)

    return call


def _optimized(library: Resolver) -> Resolver:
    """The library's resolver; the optimizer fetches its queryset with all that is asked of it."""

    def resolve(source: object, info: object, **arguments: object) -> Any:
        extension = optimizer.get()
        if extension is None:
            return library(source, info, **arguments)
        return DjangoOptimizerExtension.resolve(extension, library, source, info, **arguments)

    return resolve
