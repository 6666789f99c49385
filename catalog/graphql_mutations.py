"""The one way to declare a mutation: what goes wrong is a value in its payload, always coded."""

from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from django.core.exceptions import ValidationError
from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry_django import mutation as django_mutation
from strawberry_django.fields.types import OperationInfo, OperationMessage

from catalog.graphql_errors import ErrorCode

Kind = OperationMessage.Kind
KIND_OF_CODE = {
    ErrorCode.BAD_USER_INPUT: Kind.VALIDATION,
    ErrorCode.CONFLICT: Kind.VALIDATION,
    ErrorCode.UNAUTHENTICATED: Kind.PERMISSION,
    ErrorCode.FORBIDDEN: Kind.PERMISSION,
}
DJANGO_CODES_OF_A_CONFLICT = ("unique", "unique_together")


class HandledErrors(FieldExtension):
    """Turns every error that the caller can mend into `OperationInfo`, with a documented code.

    Django's ValidationError, PermissionDenied and ObjectDoesNotExist arrive here as OperationInfo
    already (strawberry-django's handled errors); coded GraphQL errors join them. Anything else is
    ours to mend: it stays an error, and becomes INTERNAL.
    """

    def resolve(
        self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any
    ) -> Any:
        """The mutation's own answer, or what was wrong with the request."""
        try:
            answer = next_(source, info, **kwargs)
        except GraphQLError as error:
            return OperationInfo(messages=[_message_of(error)])
        return _coded(answer) if isinstance(answer, OperationInfo) else answer


def invalid(
    field: str, message: str, code: ErrorCode = ErrorCode.BAD_USER_INPUT
) -> ValidationError:
    """The error to raise for one bad input field, such as "events.3.product_id"."""
    return ValidationError({field: ValidationError(message, code=code.value)})


def _message_of(error: GraphQLError) -> OperationMessage:
    code = (error.extensions or {}).get("code")
    if code not in set(ErrorCode) - {ErrorCode.INTERNAL}:
        raise error
    kind = KIND_OF_CODE.get(code, Kind.ERROR)
    return OperationMessage(kind=kind, message=error.message, code=code)


def _coded(info: OperationInfo) -> OperationInfo:
    for message in info.messages:
        message.code = _documented(message)
    return info


def _documented(message: OperationMessage) -> str:
    """The documented code that Django's kind of error, or its own code, stands for."""
    if message.code in set(ErrorCode):
        return message.code
    if message.code in DJANGO_CODES_OF_A_CONFLICT:
        return ErrorCode.CONFLICT.value
    by_kind = {
        Kind.PERMISSION: ErrorCode.FORBIDDEN,
        Kind.VALIDATION: ErrorCode.BAD_USER_INPUT,
        Kind.ERROR: ErrorCode.NOT_FOUND,  # ObjectDoesNotExist is the only one that arrives here
    }
    return by_kind[message.kind].value


mutation = partial(django_mutation, handle_django_errors=True, extensions=[HandledErrors()])
