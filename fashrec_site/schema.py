"""The root GraphQL schema: each app's queries, merged; limits and error codes for all of them."""

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry_django.optimizer import DjangoOptimizerExtension

from catalog.schema import CatalogQuery
from embeddings.schema import EmbeddingsQuery
from fashrec_site.coded_errors import coded
from fashrec_site.descriptions import describe_from_docstrings
from fashrec_site.query_limits import QueryLimits
from recommender.schema import RecommenderQuery


@strawberry.type
class Query(CatalogQuery, EmbeddingsQuery, RecommenderQuery):
    """Everything that can be asked."""


class CodedSchema(strawberry.Schema):
    """A schema whose every error, whenever it happens, carries a documented code."""

    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """Replace the errors by what the caller may see, in place, as the answer holds the list."""
        errors[:] = [coded(error) for error in errors]


schema = CodedSchema(
    query=Query,
    config=StrawberryConfig(disable_field_suggestions=True),
    extensions=[QueryLimits, DjangoOptimizerExtension],
)
describe_from_docstrings(schema._schema)
