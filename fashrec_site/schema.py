"""The root GraphQL schema: each app's queries, merged; limits and error codes for all of them."""

import logging
from collections.abc import Iterator

import strawberry
from graphql import GraphQLError
from strawberry.extensions import (
    MaxAliasesLimiter,
    MaxTokensLimiter,
    SchemaExtension,
)
from strawberry.schema.config import StrawberryConfig
from strawberry_django.optimizer import DjangoOptimizerExtension

from catalog.schema import CatalogQuery
from embeddings.schema import EmbeddingsQuery
from recommender.schema import RecommenderQuery

logger = logging.getLogger(__name__)

MAX_TOKENS = 1_000
MAX_ALIASES = 15


@strawberry.type
class Query(CatalogQuery, EmbeddingsQuery, RecommenderQuery):
    """Everything that can be asked."""


class CodedErrors(SchemaExtension):
    """Gives every error an `extensions.code`, and hides what the caller must not see."""

    def on_operation(self) -> Iterator[None]:
        """Rewrite the errors once the operation is done."""
        yield
        result = self.execution_context.result
        if result is not None and result.errors:
            result.errors = [_coded(error) for error in result.errors]


def _coded(error: GraphQLError) -> GraphQLError:
    if error.extensions and "code" in error.extensions:
        return error
    if error.path is None:  # refused before anything ran: syntax, validation, variables
        error.extensions = {"code": "BAD_USER_INPUT"}
        return error
    logger.error("GraphQL field %s failed", error.path, exc_info=error.original_error)
    return GraphQLError(
        "Something went wrong on our side.",
        nodes=error.nodes,
        path=error.path,
        extensions={"code": "INTERNAL"},
    )


class QuietSchema(strawberry.Schema):
    """A schema that leaves logging to `CodedErrors`: a caller's mistake is no error of ours."""

    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """Log nothing here."""


# No depth limit: no type leads back to itself, so the schema bounds the depth of every query.
schema = QuietSchema(
    query=Query,
    config=StrawberryConfig(disable_field_suggestions=True),
    extensions=[
        CodedErrors,
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
        DjangoOptimizerExtension,
    ],
)
