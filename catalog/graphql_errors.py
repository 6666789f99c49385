"""Errors that a GraphQL caller may see; each carries a documented code.

A query's error is an entry of `errors` with `extensions.code`. A mutation's is a value: its payload
is `OperationInfo { messages { kind field message code } }`, with the same codes.
"""

import enum

from graphql import GraphQLError


class ErrorCode(enum.StrEnum):
    """Every code that an answer may carry; docs/api.md says what to do about each."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    EXPIRED = "EXPIRED"
    CONFLICT = "CONFLICT"
    RATE_LIMITED = "RATE_LIMITED"
    QUERY_TOO_EXPENSIVE = "QUERY_TOO_EXPENSIVE"
    INVALID_IMAGE = "INVALID_IMAGE"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    TIMEOUT = "TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


def coded_error(code: ErrorCode, message: str, **extensions: object) -> GraphQLError:
    """An error with `extensions.code`, and whatever else helps the caller."""
    return GraphQLError(message, extensions={"code": code.value, **extensions})


def bad_user_input(message: str) -> GraphQLError:
    """The caller can mend the request; the message says how."""
    return coded_error(ErrorCode.BAD_USER_INPUT, message)


def not_found(message: str) -> GraphQLError:
    """There is no such thing, or none that this caller may know of: deliberately the same."""
    return coded_error(ErrorCode.NOT_FOUND, message)


def checked_count(name: str, value: int, *, at_most: int = 100) -> int:
    """`value` if it is from 1 to `at_most`.

    Raises:
        GraphQLError: BAD_USER_INPUT, naming the argument.
    """
    if not 1 <= value <= at_most:
        raise bad_user_input(f"{name} must be from 1 to {at_most}; got {value}")
    return value
