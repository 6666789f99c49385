"""What was saved, by whom, when, and which values it changed."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import F, Window
from django.db.models.functions import Lag

from catalog.similarity.values import MODELS, Level, names


@dataclass(frozen=True)
class Change:
    """One value before and after; None is the default."""

    a: str
    b: str
    old: float | None
    new: float | None


@dataclass(frozen=True)
class Save:
    """What one save changed."""

    at: datetime
    user: str
    reason: str
    changes: list[Change]


def recent_saves(n_changes: int) -> list[Save]:
    """The saves that the newest changes belong to, newest first. Four queries."""
    by_level = names()
    rows = [
        (row, _change(row, by_level[level])) for level in MODELS for row in _rows(level)[:n_changes]
    ]
    rows.sort(key=lambda pair: (pair[0].history_date, pair[1].a, pair[1].b), reverse=True)
    return [
        Save(at, user, reason, [change for _, change in group])
        for (at, user, reason), group in groupby(rows[:n_changes], key=lambda pair: _save(pair[0]))
    ]


def _rows(level: Level) -> object:
    before = {
        "partition_by": [F("a_id"), F("b_id")],
        "order_by": [F("history_date"), F("history_id")],
    }
    return (
        MODELS[level]
        .history.select_related("history_user")
        .annotate(
            before=Window(Lag("similarity"), **before),
            type_before=Window(Lag("history_type"), **before),
        )
        .order_by("-history_date", "-history_id")
    )


def _change(row: object, known: dict[int, str]) -> Change:
    return Change(
        a=known.get(row.a_id, f"deleted ({row.a_id})"),
        b=known.get(row.b_id, f"deleted ({row.b_id})"),
        old=None if row.type_before in (None, "-") else row.before,
        new=None if row.history_type == "-" else row.similarity,
    )


def _save(row: object) -> tuple[datetime, str, str]:
    user = row.history_user.get_username() if row.history_user else "the system"
    return row.history_date, user, row.history_change_reason or ""
