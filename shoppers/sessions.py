"""Anonymous sessions: found by their token, and merged into the shopper who logs in."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from django.db import connection, transaction

from shoppers.models import AnonymousSession, Event, Shopper

SHORTEST_TOKEN = 16  # characters; long enough that nobody guesses another's
LONGEST_TOKEN = 200


def hashed(token: str) -> str:
    """What is stored of a session token.

    Raises:
        ValueError: the token is too short to be a secret, or longer than any needs to be.
    """
    if not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN:
        raise ValueError(
            f"a session token has {SHORTEST_TOKEN} to {LONGEST_TOKEN} characters, such as those of "
            f"a random UUID; got {len(token)}"
        )
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_session(token: str) -> AnonymousSession | None:
    """The session of a token; None for one that did nothing yet.

    Raises:
        ValueError: no token has that length.
    """
    return AnonymousSession.objects.filter(token_sha256=hashed(token)).first()


def lock_sessions(hashes: Iterable[str]) -> dict[str, AnonymousSession]:
    """The sessions of hashed tokens, made where they are new, until the transaction ends."""
    wanted = sorted(set(hashes))
    AnonymousSession.objects.bulk_create(
        [AnonymousSession(token_sha256=value) for value in wanted], ignore_conflicts=True
    )
    rows = AnonymousSession.objects.filter(token_sha256__in=wanted).order_by("pk")
    return {row.token_sha256: row for row in rows.select_for_update(no_key=True)}


@transaction.atomic
def merge_session(*, token: str, shopper: Shopper, now: datetime) -> int:
    """Give `shopper` what the session did; how many events that were.

    A session is merged once: a token that is unknown, or that another login used up, gives nothing.
    An event that the shopper sent again after the login is kept once.

    Raises:
        ValueError: no token has that length.
    """
    session = (
        AnonymousSession.objects.select_for_update(no_key=True)
        .filter(token_sha256=hashed(token), merged_at__isnull=True)
        .first()
    )
    if session is None:
        return 0
    Shopper.objects.select_for_update(no_key=True).get(pk=shopper.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM shoppers_event AS e USING shoppers_event AS own
            WHERE e.session_id = %s AND own.shopper_id = %s AND own.key = e.key AND own.id <> e.id
            """,
            [session.pk, shopper.pk],
        )
    n_events = Event.objects.filter(session=session).update(shopper=shopper)
    session.shopper, session.merged_at = shopper, now
    session.save(update_fields=["shopper", "merged_at"])
    return n_events
