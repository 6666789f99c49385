"""The merchandising rules that hold now, as a ranking takes them.

Where a rule holds: one without a category everywhere; one with a category in lists that were asked
for just that category, beside a product of that category that somebody bought (its rail), and on
the page of such a product. A category's boost stands in place of the product's boost everywhere,
and its pins in place of the same positions and products pinned everywhere.

Boosts count in every relevance. A pin gives one place, once: those of a category in its rails and
lists, those of everywhere in lists that several rails are merged into, and not in each rail again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from catalog.database import reading_connection

# One value, NULL where no rule holds; to be read with what is read anyway. The clock is that of
# whoever makes rules, which a database elsewhere may not share.
HOLDING_RULES = """(
    SELECT jsonb_agg(rule) FROM (
        SELECT product_id, category_id, boost, position FROM recommender_merchandisingrule
        WHERE starts_at <= {now} AND (ends_at IS NULL OR ends_at > {now})
    ) AS rule
)"""


@dataclass(frozen=True)
class Boost:
    """What is added to a product's relevance; negative where it is buried."""

    product_id: int
    category_id: int | None  # None: everywhere
    amount: float


@dataclass(frozen=True)
class Pin:
    """The place that a product has, from 1."""

    product_id: int
    category_id: int | None  # None: everywhere
    position: int


@dataclass(frozen=True)
class Rules:
    """All that hold at one moment."""

    boosts: tuple[Boost, ...] = ()
    pins: tuple[Pin, ...] = ()

    @classmethod
    def from_json(cls, rules: str | Sequence[dict[str, Any]] | None) -> Self:
        """What HOLDING_RULES gave."""
        entries = json.loads(rules) if isinstance(rules, str) else rules or []
        scopes = [(entry, (entry["product_id"], entry["category_id"])) for entry in entries]
        return cls(
            tuple(Boost(*of, float(e["boost"])) for e, of in scopes if e["boost"] is not None),
            tuple(Pin(*of, e["position"]) for e, of in scopes if e["position"] is not None),
        )

    def pins_of_category(self, category_id: int) -> list[Pin]:
        """Those of that category, by position."""
        pins = [pin for pin in self.pins if pin.category_id == category_id]
        return sorted(pins, key=lambda pin: pin.position)

    def pins_of_list(self, category_id: int | None) -> list[Pin]:
        """Those of a list asked for that category (None: for anything), by position."""
        own = [] if category_id is None else self.pins_of_category(category_id)
        taken = {pin.position for pin in own}
        placed = {pin.product_id for pin in own}
        everywhere = [
            pin
            for pin in self.pins
            if pin.category_id is None
            and pin.position not in taken
            and pin.product_id not in placed
        ]
        return sorted([*own, *everywhere], key=lambda pin: pin.position)


NO_RULES = Rules()


def holding_rules() -> Rules:
    """Those that hold now. One query."""
    with reading_connection().cursor() as cursor:
        cursor.execute(f"SELECT {HOLDING_RULES.format(now='%(now)s')}", {"now": timezone.now()})
        return Rules.from_json(cursor.fetchone()[0])


def rules_of(row: Model) -> Rules:
    """The rules that came with a row of `with_rules`; else those that hold now, for a query."""
    return Rules.from_json(row.rules) if "rules" in row.__dict__ else holding_rules()


def with_rules(rows: QuerySet) -> QuerySet:
    """The rows, each with the rules that hold now, for `rules_of`."""
    now = timezone.now()
    return rows.annotate(rules=RawSQL(HOLDING_RULES.format(now="%s"), (now, now)))  # noqa: S611
