"""The root GraphQL schema: each app's queries, merged; limits and error codes for all of them."""

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from catalog.schema import CatalogQuery
from embeddings.schema import EmbeddingsQuery
from fashrec_site.access.introspection import IntrospectionForInsiders
from fashrec_site.access.schema import AccountsMutation, AccountsQuery
from fashrec_site.coded_errors import coded
from fashrec_site.descriptions import describe_from_docstrings
from fashrec_site.known_queries import KnownQueries
from fashrec_site.named_values import named
from fashrec_site.photo_search.schema import PhotoSearchQuery
from fashrec_site.plain_fields import OptimizerOfOtherFields, read_plainly
from fashrec_site.query_limits import QueryLimits
from fashrec_site.replicas.mutations import MutationsReadFromPrimary
from recommender.schema import RecommenderQuery
from shoppers.mutations import ShoppersMutation
from shoppers.schema import ShoppersQuery


@strawberry.type
class Query(
    CatalogQuery,
    EmbeddingsQuery,
    RecommenderQuery,
    PhotoSearchQuery,
    ShoppersQuery,
    AccountsQuery,
):
    """Everything that can be asked."""


@strawberry.type
class Mutation(AccountsMutation, ShoppersMutation):
    """Everything that can be done."""


class CodedSchema(strawberry.Schema):
    """A schema whose every error, whenever it happens, carries a documented code."""

    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:
        """Replace the errors by what the caller may see, in place, as the answer holds the list."""
        document = getattr(execution_context, "graphql_document", None)
        variables = getattr(execution_context, "variables", None)
        for error in errors:
            error.message = named(error.message, document, variables)
        errors[:] = [coded(error) for error in errors]


schema = CodedSchema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(disable_field_suggestions=True),
    extensions=[
        QueryLimits,
        IntrospectionForInsiders,
        MutationsReadFromPrimary,
        OptimizerOfOtherFields,
        KnownQueries,
    ],
)
describe_from_docstrings(schema._schema)
read_plainly(schema._schema)
