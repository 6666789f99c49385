"""Recording what shoppers do: each event once, and popularity in the same transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from catalog.item_ids import lock_named_products
from shoppers.models import AnonymousSession, Event, Shopper
from shoppers.purchase_events import add_purchases, lock_popularity_of, take_back_purchases
from shoppers.sessions import hashed, lock_sessions

MAX_EVENTS = 100  # in one call
LONGEST_KEY = 100  # characters, as the column
CLOCK_SKEW = timedelta(minutes=5)  # how far a caller's clock may be ahead
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class NewEvent:
    """An event as it arrives: of a shopper, or of a session that is not logged in."""

    kind: Event.Kind
    item_id: str
    key: str
    occurred_at: datetime  # knows its zone
    shopper: str | None = None  # external id; made where it is new
    session_token: str | None = None
    recommendation_id: UUID | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong with one event: its place in the call, the field, and what to do.

    The index is None where it is the call as a whole.
    """

    index: int | None
    field: str
    message: str
    is_conflict: bool = False


class EventsRefused(ValueError):  # noqa: N818 - what happened
    """Nothing was stored; `problems` names every bad event."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"event {p.index}: {p.field}: {p.message}" for p in problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class RecordedEvents:
    """What a call came to."""

    n_recorded: int
    n_duplicates: int


def record_events(
    *, events: Sequence[NewEvent], now: datetime, creates_shoppers: bool = True
) -> RecordedEvents:
    """Store the events that are new, all of them or none, with the purchases that they make.

    A call may be repeated, also in parallel: whose key is known among the shopper's (or session's)
    events is counted as a duplicate and changes nothing. Calls of one shopper wait for each other.

    Raises:
        EventsRefused: a field is bad, a product is unknown (or a shopper, unless `creates_shoppers`
            makes them), a key came with other content before, or a return has no purchase to take
            back; nothing was stored.
    """
    if len(events) > MAX_EVENTS:
        message = f"at most {MAX_EVENTS} in one call; got {len(events)}: send them in parts"
        raise EventsRefused([Problem(None, "events", message)])
    with transaction.atomic():
        products = lock_named_products(e.item_id for e in events if is_storable(e.item_id))
        problems = problems_of(dict(enumerate(events)), products, now)
        _refuse(problems if creates_shoppers else [*problems, *_unknown_shoppers(events)])
        rows = _rows(events, products, now)
        new = _without_duplicates(rows)
        Event.objects.bulk_create(new)
        _move_purchases(new, rows)
    return RecordedEvents(n_recorded=len(new), n_duplicates=len(rows) - len(new))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise EventsRefused(problems)


def _problems(index: int, event: NewEvent, now: datetime) -> list[Problem]:
    """What is wrong with the event alone."""
    found = []
    if not 1 <= len(event.key) <= LONGEST_KEY or not is_storable(event.key):
        found.append(Problem(index, "key", f"expected 1 to {LONGEST_KEY} characters"))
    if not EARLIEST <= event.occurred_at <= now + CLOCK_SKEW:
        found.append(Problem(index, "occurred_at", "expected a time since 1970 and not to come"))
    if (event.shopper is None) == (event.session_token is None):
        found.append(Problem(index, "shopper", "expected a shopper or a session token, not both"))
    elif event.shopper is not None:
        if not 1 <= len(event.shopper) <= 200 or not is_storable(event.shopper):
            found.append(Problem(index, "shopper", "expected 1 to 200 characters"))
    else:
        found += _session_problems(index, event)
    return found


def _session_problems(index: int, event: NewEvent) -> list[Problem]:
    try:
        hashed(event.session_token)
    except ValueError as error:
        return [Problem(index, "session_token", str(error))]
    if event.kind in (Event.Kind.PURCHASE, Event.Kind.RETURN):
        message = f"a {event.kind} needs a shopper: log in, or name the shopper"
        return [Problem(index, "kind", message)]
    return []


def is_storable(text: str) -> bool:
    """PostgreSQL takes neither NUL nor half a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def problems_of(
    events: Mapping[int, NewEvent], known: Collection[str], now: datetime
) -> list[Problem]:
    """All that is wrong with events by themselves, whose item ids should be among the known."""
    problems = []
    for index, event in events.items():
        problems += _problems(index, event, now)
        if event.item_id not in known:
            problems.append(Problem(index, "item_id", f"no product {event.item_id[:200]!r}"))
    return problems


def _unknown_shoppers(events: Sequence[NewEvent]) -> list[Problem]:
    named = {e.shopper for e in events if e.shopper is not None and is_storable(e.shopper)}
    rows = Shopper.objects.filter(external_id__in=named)
    known = set(rows.values_list("external_id", flat=True))
    return [
        Problem(i, "shopper", f"no shopper {event.shopper[:200]!r}")
        for i, event in enumerate(events)
        if event.shopper in named - known
    ]


def _rows(events: Sequence[NewEvent], products: dict[str, int], now: datetime) -> list[Event]:
    """The events as rows of shoppers and sessions, which are locked from now on."""
    sessions = lock_sessions(hashed(e.session_token) for e in events if e.session_token is not None)
    shoppers = _lock_shoppers(events, sessions)
    rows, problems = [], []
    for index, event in enumerate(events):
        session = None
        if event.session_token is not None:
            session = sessions[hashed(event.session_token)]
            problems += _after_merge(index, event, session)
        shopper_id = session.shopper_id if session else shoppers[event.shopper]
        rows.append(
            Event(
                shopper_id=shopper_id,
                session=session,
                product_id=products[event.item_id],
                kind=event.kind,
                occurred_at=event.occurred_at,
                received_at=now,
                key=event.key,
                recommendation_id=event.recommendation_id,
            )
        )
    _refuse(problems)
    return rows


def _after_merge(index: int, event: NewEvent, session: AnonymousSession) -> list[Problem]:
    if session.merged_at is None or event.occurred_at <= session.merged_at:
        return []
    message = "this session ended when its shopper logged in: send a new token, or the shopper"
    return [Problem(index, "session_token", message, is_conflict=True)]


def _lock_shoppers(
    events: Sequence[NewEvent], sessions: dict[str, AnonymousSession]
) -> dict[str, int]:
    """Keys by external id. New shoppers are made; all are locked, in key order."""
    named = sorted({event.shopper for event in events if event.shopper is not None})
    known = dict(Shopper.objects.filter(external_id__in=named).values_list("external_id", "pk"))
    if missing := [name for name in named if name not in known]:
        Shopper.objects.bulk_create(
            [Shopper(external_id=name) for name in missing], ignore_conflicts=True
        )
        known = dict(Shopper.objects.filter(external_id__in=named).values_list("external_id", "pk"))
    merged = {session.shopper_id for session in sessions.values()} - {None}
    locked = Shopper.objects.filter(pk__in={*known.values(), *merged}).order_by("pk")
    list(locked.select_for_update(no_key=True).values_list("pk", flat=True))
    return known


def _without_duplicates(rows: Sequence[Event]) -> list[Event]:
    """The rows whose keys are new; refuses a key that came with something else before."""
    stored = Event.objects.filter(key__in={row.key for row in rows})
    of_shoppers = stored.filter(shopper__in={row.shopper_id for row in rows} - {None})
    of_sessions = stored.filter(session__in={row.session_id for row in rows} - {None})
    known = {identity: row for row in [*of_shoppers, *of_sessions] for identity in _identities(row)}
    new, problems = [], []
    for index, row in enumerate(rows):
        first = next((known[i] for i in _identities(row) if i in known), None)
        if first is None:
            new.append(row)
            known |= dict.fromkeys(_identities(row), row)
        elif (first.kind, first.product_id) != (row.kind, row.product_id):
            message = f"{row.key!r} is the key of another event: {first.kind} of another product"
            if first.product_id == row.product_id:
                message = f"{row.key!r} is the key of another event: {first.kind}, not {row.kind}"
            problems.append(Problem(index, "key", message, is_conflict=True))
    _refuse(problems)
    return new


def _identities(row: Event) -> list[tuple[str, int, str]]:
    """What is unique about an event."""
    owners = (("shopper", row.shopper_id), ("session", row.session_id))
    return [(what, pk, row.key) for what, pk in owners if pk is not None]


def _move_purchases(new: Sequence[Event], rows: Sequence[Event]) -> None:
    lock_popularity_of(new)
    add_purchases(new)
    hopeless = take_back_purchases(new)
    _refuse(
        [
            Problem(rows.index(event), "item_id", "no purchase of this product to take back")
            for event in hopeless
        ]
    )
    returned = [event for event in new if event.returned_purchase_at is not None]
    Event.objects.bulk_update(returned, ["returned_purchase_at"])
