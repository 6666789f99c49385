"""GraphQL query for a shopper's favourites: that shopper's session, a key or staff only."""

from collections.abc import Iterable
from typing import Annotated

import strawberry
import strawberry_django
from django.http import HttpRequest

from catalog.graphql_connections import RowConnection
from catalog.graphql_cost import SEARCH, cost
from catalog.graphql_errors import ErrorCode, bad_user_input, coded_error, not_found
from catalog.types import Product
from shoppers.callers import caller_of, own_shopper
from shoppers.favourites import favourite_products
from shoppers.models import AnonymousSession, Shopper
from shoppers.sessions import find_session


@strawberry.type
class ShoppersQuery:
    """What shoppers keep."""

    @strawberry_django.connection(RowConnection[Product], metadata=cost(SEARCH))
    def favourites(
        self,
        info: strawberry.Info,
        shopper: Annotated[
            str | None,
            strawberry.argument(description="The shopper's external id; your own by default."),
        ] = None,
        session_token: Annotated[
            str | None, strawberry.argument(description="Of somebody who is not logged in.")
        ] = None,
    ) -> Iterable[Product]:
        """Products on sale that are somebody's favourites, the latest first."""
        return favourite_products(_somebody(info.context.request, shopper, session_token))


def _somebody(
    request: HttpRequest, external_id: str | None, session_token: str | None
) -> Shopper | AnonymousSession | None:
    """Whose favourites the caller may see; None for a session that did nothing yet.

    Raises:
        GraphQLError: nobody was named, both were, or the shopper is not the caller's to read.
    """
    if external_id is not None and session_token is not None:
        raise bad_user_input("Give `shopper` or `sessionToken`, not both.")
    if session_token is not None:
        try:
            return find_session(session_token)
        except ValueError as error:
            raise bad_user_input(str(error)) from error
    if external_id is None:
        return _own(request)
    shopper = Shopper.objects.filter(external_id=external_id).first()
    if shopper is None or not caller_of(request).may_read(shopper):
        raise not_found("No such shopper, or not yours: log in as that shopper or as staff.")
    return shopper


def _own(request: HttpRequest) -> Shopper:
    shopper = own_shopper(request)
    if shopper is None:
        raise coded_error(ErrorCode.UNAUTHENTICATED, "Log in, or give `sessionToken`.")
    return shopper
