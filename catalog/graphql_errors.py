"""Errors that a GraphQL caller may see; each carries its documented `extensions.code`."""

from graphql import GraphQLError


def bad_user_input(message: str) -> GraphQLError:
    """The caller can mend the request; the message says how."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def not_found(message: str) -> GraphQLError:
    """There is no such thing, or none that this caller may know of: deliberately the same."""
    return GraphQLError(message, extensions={"code": "NOT_FOUND"})


def checked_count(name: str, value: int, *, at_most: int = 100) -> int:
    """`value` if it is from 1 to `at_most`.

    Raises:
        GraphQLError: BAD_USER_INPUT, naming the argument.
    """
    if not 1 <= value <= at_most:
        raise bad_user_input(f"{name} must be from 1 to {at_most}; got {value}")
    return value
