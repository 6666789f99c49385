"""What somebody did with products: what candidates are compared with, and what is left out.

What the shop wants of its recommendations is read with it, so that it costs no statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from catalog.database import reading_connection
from recommender.merchandising.rules import HOLDING_RULES, NO_RULES, Rules
from recommender.models import RecommendationLog
from shoppers.models import AnonymousSession, Event, Shopper
from shoppers.sessions import hashed

Kind = Event.Kind
Visitor = Shopper | AnonymousSession
MAX_RAILS = 20  # most recent ones that get a rail of their own
SHOWN = "shown"  # in an earlier set of recommendations
# Somebody who bought nothing yet is known by these; each product by the strongest.
INTERESTS = (Kind.CART, Kind.FAVOURITE, Kind.VIEW)

# With the visitor's own row, so that who it is and what they did is one statement, and in one of
# its rows the shop's rules. Views are many: they are read only where somebody wants them.
ACTS = """
SELECT visitor.*, act.kind AS act_kind, act.id AS act_id, act.product_id AS act_product_id,
    act.at AS act_at, CASE WHEN row_number() OVER () = 1 THEN {rules} END AS rules
FROM {visitors} visitor LEFT JOIN LATERAL (
    (SELECT DISTINCT ON (product_id) 'purchase' AS kind, id, product_id, purchased_at AS at
     FROM shoppers_purchase WHERE {is_shopper} AND shopper_id = visitor.id
     ORDER BY product_id, purchased_at DESC, id DESC)
    UNION ALL
    (SELECT DISTINCT ON (kind, product_id) kind, id, product_id, occurred_at
     FROM shoppers_event e WHERE {own_events} AND kind NOT IN ('purchase') AND (
        kind <> 'view' OR %(seen)s OR NOT EXISTS (
            SELECT 1 FROM shoppers_purchase WHERE {is_shopper} AND shopper_id = visitor.id))
     ORDER BY kind, product_id, occurred_at DESC, id DESC)
    UNION ALL
    (SELECT 'shown', 0, (item ->> 'product')::bigint, max(log.created_at)
     FROM {logs} log CROSS JOIN LATERAL jsonb_array_elements(log.items) AS item
     WHERE %(seen)s AND ({own_sets}) GROUP BY 3)
) AS act ON true
WHERE visitor.{column} = %(value)s
"""


@dataclass(frozen=True)
class Act:
    """The newest time that somebody did this with that product."""

    kind: str  # of `Event.Kind`, or SHOWN
    key: int  # of the purchase or event
    product_id: int
    at: datetime


@dataclass(frozen=True)
class Exclusion:
    """Which products are left out, for what was done with them `since` then (or ever)."""

    seen: bool = False  # viewed, or shown in an earlier set
    bought: bool = True
    returned: bool = True
    dismissed: bool = True
    since: datetime | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The acts that leave a product out."""
        by_kind = {
            Kind.VIEW: self.seen,
            SHOWN: self.seen,
            Kind.PURCHASE: self.bought,
            Kind.RETURN: self.returned,
            Kind.DISMISSAL: self.dismissed,
        }
        return frozenset(str(kind) for kind, is_out in by_kind.items() if is_out)

    def product_ids(self, acts: Sequence[Act]) -> set[int]:
        """The products that the acts leave out."""
        return {
            act.product_id
            for act in acts
            if act.kind in self.kinds and (self.since is None or act.at >= self.since)
        }


@dataclass(frozen=True)
class History:
    """Somebody, and what they did."""

    visitor: Visitor
    acts: list[Act] = field(default_factory=list)
    rules: Rules = NO_RULES  # the shop's own, that hold now

    def compared(self) -> list[Act]:
        """What candidates are compared with, newest first, each product once.

        The latest purchases; of somebody without any, what they put into the cart, liked or
        looked at.
        """
        bought = [act for act in self.acts if act.kind == Kind.PURCHASE]
        newest_first = sorted(bought or self._interests(), key=lambda a: (a.at, a.key))[::-1]
        return newest_first[:MAX_RAILS]

    def _interests(self) -> list[Act]:
        taken_back = {a.product_id: a.at for a in self.acts if a.kind == Kind.UNFAVOURITE}
        unwanted = {a.product_id for a in self.acts if a.kind in (Kind.DISMISSAL, Kind.RETURN)}
        strongest: dict[int, Act] = {}
        for kind in reversed(INTERESTS):
            for act in self.acts:
                if act.kind != kind or act.product_id in unwanted:
                    continue
                is_over = act.product_id in taken_back and taken_back[act.product_id] >= act.at
                if kind != Kind.FAVOURITE or not is_over:
                    strongest[act.product_id] = act
        return list(strongest.values())


def history_of(visitor: Visitor, exclusion: Exclusion) -> History:
    """The history of somebody who is known already. One statement."""
    if isinstance(visitor, Shopper):
        read = _read_shoppers("id", visitor.pk, exclusion)
    else:
        read = _read_sessions("id", visitor.pk, exclusion)
    return History(visitor, read.acts, read.rules) if read else History(visitor)


def shopper_history(external_id: str, exclusion: Exclusion) -> History | None:
    """The shopper with this external id, and what they did. One statement."""
    return _read_shoppers("external_id", external_id, exclusion)


def session_history(token: str, exclusion: Exclusion) -> History | None:
    """The session with this token, and what was done in it. One statement.

    None where nobody knows the token. Once its shopper has logged in, what it did is theirs.

    Raises:
        ValueError: no token has that length.
    """
    return _read_sessions("token_sha256", hashed(token), exclusion)


def _read_shoppers(column: str, value: object, exclusion: Exclusion) -> History | None:
    sql = ACTS.format(
        visitors=Shopper._meta.db_table,
        logs=RecommendationLog._meta.db_table,
        rules=HOLDING_RULES.format(now="%(now)s"),
        column=column,
        is_shopper="true",
        own_events="e.shopper_id = visitor.id",
        own_sets="""log.shopper_id = visitor.id OR log.session_id IN (
            SELECT id FROM shoppers_anonymoussession WHERE shopper_id = visitor.id)""",
    )
    return _history(Shopper, sql, value, exclusion)


def _read_sessions(column: str, value: object, exclusion: Exclusion) -> History | None:
    sql = ACTS.format(
        visitors=AnonymousSession._meta.db_table,
        logs=RecommendationLog._meta.db_table,
        rules=HOLDING_RULES.format(now="%(now)s"),
        column=column,
        is_shopper="false",
        own_events="e.session_id = visitor.id AND e.shopper_id IS NULL",
        own_sets="log.session_id = visitor.id",
    )
    return _history(AnonymousSession, sql, value, exclusion)


def _history(model: type[Visitor], sql: str, value: object, exclusion: Exclusion) -> History | None:
    now = timezone.now()
    parameters: dict[str, Any] = {"value": value, "seen": exclusion.seen, "now": now}
    rows = list(model.objects.using(reading_connection().alias).raw(sql, parameters))
    if not rows:
        return None
    acts = [Act(r.act_kind, r.act_id, r.act_product_id, r.act_at) for r in rows if r.act_kind]
    return History(rows[0], acts, Rules.from_json(next((r.rules for r in rows if r.rules), None)))
