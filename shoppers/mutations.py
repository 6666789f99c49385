"""GraphQL mutations of events: what happened, told by a shopper, a stranger or a server."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import strawberry
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from catalog.graphql_cost import BASIC, cost
from catalog.graphql_errors import ErrorCode, coded_error, not_found
from catalog.graphql_mutations import invalid, mutation
from catalog.models import Product
from shoppers.callers import caller_of, own_shopper
from shoppers.events import (
    MAX_EVENTS,
    EventsRefused,
    NewEvent,
    Problem,
    is_storable,
    problems_of,
    record_events,
)
from shoppers.models import Event, Shopper
from shoppers.sessions import merge_session

EventKind = strawberry.enum(
    Event.Kind,
    name="EventKind",
    description="What a shopper did with a product. A PURCHASE counts into its popularity and is "
    "never recommended again; a RETURN takes one back; a DISMISSAL is never recommended again.",
)


@strawberry.input
class EventInput:
    """Something that somebody did with a product."""

    kind: EventKind = strawberry.field(description="What happened.")
    item_id: str = strawberry.field(description="With which product.")
    key: str = strawberry.field(
        description="Idempotency key of your choice, unique for the shopper or session, such as a "
        "random UUID. Send the same one when you try again: the event is stored once."
    )
    occurred_at: datetime | None = strawberry.field(
        default=None, description="When; now by default. Without a zone it is UTC."
    )
    recommendation_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the recommendations that it came from."
    )
    shopper: str | None = strawberry.field(
        default=None,
        description="External id of the shopper: for servers with a key and for staff. A logged in "
        "shopper's events are theirs without it.",
    )
    session_token: str | None = strawberry.field(
        default=None,
        description="For somebody not logged in: a random secret of 16 to 200 characters that "
        "their browser keeps, and gives to `login` or `signup` to keep their events.",
    )


@strawberry.type
class RecordedEvents:
    """What became of the events."""

    recorded: int = strawberry.field(description="How many were stored now.")
    duplicates: int = strawberry.field(description="How many had been stored before.")


@strawberry.type
class MergedSession:
    """What a session brought its shopper."""

    events: int = strawberry.field(description="How many of its events are the shopper's now.")


@strawberry.type
class ShoppersMutation:
    """What shoppers do."""

    @mutation(metadata=cost(BASIC))
    def record_events(
        self,
        info: strawberry.Info,
        events: Annotated[
            list[EventInput], strawberry.argument(description="At most 100, all or none stored.")
        ],
        create_shoppers: Annotated[
            bool,
            strawberry.argument(
                description="Whether a shopper that was never heard of is made. With false an "
                "event of one is refused, which tells a mistyped id."
            ),
        ] = True,
    ) -> RecordedEvents:
        """Record events, each once however often it is sent; all of them, or none and why.

        Every bad event is named by its place: `events.3.itemId`. Leave them out and send the rest.
        """
        now = timezone.now()
        new = _new_events(events, info.context.request, now)
        try:
            answer = record_events(events=new, now=now, creates_shoppers=create_shoppers)
        except EventsRefused as refused:
            raise _validation_error(refused.problems) from refused
        return RecordedEvents(recorded=answer.n_recorded, duplicates=answer.n_duplicates)

    @mutation(metadata=cost(BASIC))
    def merge_session(
        self,
        info: strawberry.Info,
        session_token: Annotated[
            str, strawberry.argument(description="Of the session; afterwards it is used up.")
        ],
        shopper: Annotated[str, strawberry.argument(description="External id of who logged in.")],
    ) -> MergedSession:
        """Give a shopper what an anonymous session did; for shops with a login of their own."""
        if not caller_of(info.context.request).may_record_for_anybody:
            raise coded_error(ErrorCode.FORBIDDEN, "This needs a key with the scope events:write.")
        row = _shopper(shopper)
        try:
            n_events = merge_session(token=session_token, shopper=row, now=timezone.now())
        except ValueError as error:
            raise invalid("session_token", str(error)) from error
        return MergedSession(events=n_events)


def _shopper(external_id: str) -> Shopper:
    row = Shopper.objects.filter(external_id=external_id.replace("\0", "")).first()
    if row is None:
        raise not_found("No such shopper.")
    return row


def _new_events(events: list[EventInput], request: HttpRequest, now: datetime) -> list[NewEvent]:
    """The events as the service takes them.

    Raises:
        ValidationError: the caller may not speak for somebody, or a field is no id; beside it all
            that is wrong with the other events.
    """
    new: dict[int, NewEvent] = {}
    refused: dict[str, ValidationError] = {}
    for index, event in enumerate(events[: MAX_EVENTS + 1]):
        try:
            new[index] = _new_event(index, event, request, now)
        except ValidationError as error:
            refused |= error.error_dict
    if not refused or len(events) > MAX_EVENTS:
        return [*new.values()]
    item_ids = [event.item_id for event in new.values() if is_storable(event.item_id)]
    known = set(Product.objects.filter(item_id__in=item_ids).values_list("item_id", flat=True))
    others = _validation_error(problems_of(new, known, now)) if new else None
    raise ValidationError(refused | (others.error_dict if others else {}))


def _new_event(index: int, event: EventInput, request: HttpRequest, now: datetime) -> NewEvent:
    """The event as the service takes it, of somebody for whom the caller may speak."""
    shopper = event.shopper
    if shopper is None and event.session_token is None:
        shopper = _own_name(index, request)
    elif shopper is not None and not caller_of(request).may_record_for_anybody:
        own = own_shopper(request)
        if own is None or own.external_id != shopper:
            message = "not your shopper: leave it out, or use a key with the scope events:write"
            raise invalid(f"events.{index}.shopper", message, ErrorCode.FORBIDDEN)
    return NewEvent(
        kind=event.kind,
        item_id=event.item_id,
        key=event.key,
        occurred_at=_in_zone(event.occurred_at or now),
        shopper=shopper,
        session_token=event.session_token,
        recommendation_id=_uuid(index, event.recommendation_id),
    )


def _own_name(index: int, request: HttpRequest) -> str:
    own = own_shopper(request)
    if own is None:
        message = "whose? Log in, give a session token, or name the shopper with a key"
        raise invalid(f"events.{index}.shopper", message, ErrorCode.UNAUTHENTICATED)
    return own.external_id


def _in_zone(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _uuid(index: int, given: str | None) -> UUID | None:
    """The key of the set of recommendations, from its global id or as it is."""
    if given is None:
        return None
    try:
        return UUID(_decoded(given) or given)
    except ValueError as error:
        message = "expected the id of a set of recommendations"
        raise invalid(f"events.{index}.recommendation_id", message) from error


def _decoded(global_id: str) -> str:
    """What follows the colon of a global id; empty where it is none."""
    try:
        return base64.b64decode(global_id, validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _validation_error(problems: Sequence[Problem]) -> ValidationError:
    """Every problem under its event's place and field; of several of one field the first."""
    by_field: dict[str, ValidationError] = {}
    for problem in problems:
        code = ErrorCode.CONFLICT if problem.is_conflict else ErrorCode.BAD_USER_INPUT
        is_whole = problem.index is None
        field = problem.field if is_whole else f"events.{problem.index}.{problem.field}"
        by_field.setdefault(field, ValidationError(problem.message, code=code.value))
    return ValidationError(by_field)
