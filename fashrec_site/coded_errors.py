"""What a caller sees of errors: always a documented code, never our internals."""

import logging

from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.relay.types import GlobalIDValueError

from catalog.graphql_errors import ErrorCode, coded_error
from fashrec_site.statement_timeout import MESSAGE, is_timeout

logger = logging.getLogger(__name__)
# GraphQL's own are about syntax, validation and the values of variables and arguments.
CALLERS_MISTAKES = (GraphQLError, StrawberryInputCoercionError, GlobalIDValueError)


def coded(error: GraphQLError) -> GraphQLError:
    """The error with its code; what is not the caller's to mend is logged and hidden."""
    if error.extensions and "code" in error.extensions:
        return error
    if error.original_error is None or isinstance(error.original_error, CALLERS_MISTAKES):
        error.extensions = {"code": ErrorCode.BAD_USER_INPUT.value}
        return error
    if is_timeout(error.original_error):
        logger.warning("A statement of GraphQL field %s was cancelled", error.path)
        return _in_place(error, coded_error(ErrorCode.TIMEOUT, MESSAGE))
    logger.error("GraphQL field %s failed", error.path, exc_info=error.original_error)
    return _in_place(error, coded_error(ErrorCode.INTERNAL, "Something went wrong on our side."))


def _in_place(error: GraphQLError, shown: GraphQLError) -> GraphQLError:
    """What is shown, where the error happened."""
    return GraphQLError(
        shown.message, nodes=error.nodes, path=error.path, extensions=shown.extensions
    )
