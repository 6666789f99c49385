"""Whose recommendations a request may ask for, and which stored sets it may read."""

from hmac import compare_digest
from uuid import UUID

from django.http import HttpRequest

from catalog.graphql_errors import ErrorCode, bad_user_input, coded_error, not_found
from recommender.history import (
    Exclusion,
    History,
    history_of,
    session_history,
    shopper_history,
)
from recommender.models import RecommendationLog
from recommender.stored_sets import find_set
from shoppers.callers import Caller, Scope, caller_of, own_shopper
from shoppers.models import AnonymousSession
from shoppers.sessions import hashed


def visible_history(
    request: HttpRequest, shopper: str | None, session_token: str | None, exclusion: Exclusion
) -> History:
    """What the shopper or session did, if the caller may read it; a stranger learns nothing else.

    Raises:
        GraphQLError: NOT_FOUND for another's shopper, BAD_USER_INPUT for none or two of them.
    """
    if shopper is not None and session_token is not None:
        raise bad_user_input("Give `shopper` or `sessionToken`, not both.")
    if session_token is not None:
        return _session_history(session_token, exclusion)
    if shopper is None:
        own = own_shopper(request)
        if own is None:
            raise bad_user_input("Whose? Log in, or give `shopper` or `sessionToken`.")
        return history_of(own, exclusion)
    history = shopper_history(shopper, exclusion)
    if history is None or not caller_of(request).may_read(history.visitor):
        raise not_found("No such shopper, or not yours: log in as that shopper or as staff.")
    return history


def visible_set(
    request: HttpRequest, set_id: UUID, session_token: str | None = None
) -> RecommendationLog | None:
    """The stored set, if the caller may read it. One statement.

    Raises:
        GraphQLError: BAD_USER_INPUT for a token that can be none.
    """
    log = find_set(set_id)
    if log is None:
        return None
    is_theirs = _may_read(caller_of(request), log) or _is_session(log.session, session_token)
    return log if is_theirs else None


def _session_history(token: str, exclusion: Exclusion) -> History:
    """Of a session that nothing was recorded in yet an empty one: its set needs an owner."""
    try:
        history = session_history(token, exclusion)
        if history is None:
            session, _ = AnonymousSession.objects.get_or_create(token_sha256=hashed(token))
            history = history_of(session, exclusion)
    except ValueError as error:
        raise bad_user_input(str(error)) from error
    if history.visitor.merged_at is not None:
        message = "This session ended when its shopper logged in: send a new token, or the shopper."
        raise coded_error(ErrorCode.CONFLICT, message)
    return history


def _may_read(caller: Caller, log: RecommendationLog) -> bool:
    owner = log.shopper or log.session.shopper
    if owner is not None:
        return caller.may_read(owner)
    return caller.is_staff or Scope.READ_SHOPPERS in caller.scopes


def _is_session(session: AnonymousSession | None, token: str | None) -> bool:
    if session is None or token is None or session.merged_at is not None:
        return False
    try:
        return compare_digest(session.token_sha256, hashed(token))
    except ValueError as error:
        raise bad_user_input(str(error)) from error
