"""The CSV format of events: who did what with which product when, one event per line."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from shoppers.csv_file import CsvFile, parse_name, parse_timestamp
from shoppers.models import Event
from shoppers.sessions import hashed

LONGEST_KEY = 100  # characters, as the column
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class EventRow:
    """An event of a shopper, or of a session of which the token's hash is left."""

    line: int
    kind: str
    item_id: str
    timestamp: datetime  # in UTC
    shopper: str | None
    session_sha256: str | None
    key: str
    recommendation_id: UUID | None


class EventFile(CsvFile[EventRow]):
    """Events read from a CSV file; without a key, a line's content is its key."""

    required_columns = ("kind", "item_id", "timestamp")
    optional_columns = ("shopper", "session", "key", "recommendation_id")

    def parse(self, line: int, cells: dict[str, str]) -> EventRow:
        """The event of one line."""
        kind = _parse_kind(cells["kind"])
        shopper, session_sha256 = _parse_owner(cells, kind)
        item_id = parse_name("item_id", cells["item_id"])
        timestamp = _parse_past(cells["timestamp"])
        key = cells.get("key", "")
        if not key:
            content = (kind, item_id, timestamp.isoformat(), shopper or session_sha256)
            key = "line:" + sha256("\n".join(content).encode()).hexdigest()
        return EventRow(
            line=line,
            kind=kind,
            item_id=item_id,
            timestamp=timestamp,
            shopper=shopper,
            session_sha256=session_sha256,
            key=parse_name("key", key, longest=LONGEST_KEY),
            recommendation_id=_parse_uuid(cells.get("recommendation_id", "")),
        )


def _parse_kind(cell: str) -> str:
    if cell.lower() not in Event.Kind.values:
        raise ValueError(f"kind {cell[:40]!r} is none of {', '.join(Event.Kind.values)}")
    return cell.lower()


def _parse_owner(cells: dict[str, str], kind: str) -> tuple[str | None, str | None]:
    """The shopper, or the hash of the session's token."""
    shopper, session = cells.get("shopper", ""), cells.get("session", "")
    if bool(shopper) == bool(session):
        raise ValueError("expected a shopper or a session, and not both")
    if shopper:
        return parse_name("shopper", shopper), None
    if kind in (Event.Kind.PURCHASE, Event.Kind.RETURN):
        raise ValueError(f"a {kind} needs a shopper")
    return None, hashed(session)


def _parse_past(cell: str) -> datetime:
    timestamp = parse_timestamp(cell)
    if not EARLIEST <= timestamp <= datetime.now(UTC):
        raise ValueError(f"timestamp {cell[:40]!r} is before 1970, or still to come")
    return timestamp


def _parse_uuid(cell: str) -> UUID | None:
    try:
        return UUID(cell) if cell else None
    except ValueError as error:
        raise ValueError(f"recommendation_id {cell[:40]!r} is no UUID") from error
