"""Editing the matrix: every edit is checked, all are saved in one transaction, and remembered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from catalog.models import UnorderedPair
from catalog.similarity.values import MODELS, SIDES, Level, Pair, Values, ordered

MATRIX_LOCK = 0x51417  # any number that no other advisory lock of the project has
MAX_EDITS = 50_000  # more than 300 categories have pairs


@dataclass(frozen=True)
class Edit:
    """A pair's new value, and the one that its editor saw; None stands for the default."""

    level: Level
    a_id: int
    b_id: int
    similarity: float | None
    seen: float | None

    @property
    def pair(self) -> Pair:
        """What is edited, in key order: a pair has one value, whichever way it is entered."""
        return ordered(self.level, self.a_id, self.b_id)


class RefusedEditsError(ValueError):
    """Edits that cannot be saved; `reasons` has one for each refused pair."""

    def __init__(self, reasons: dict[Pair, str]) -> None:
        super().__init__("; ".join(sorted(set(reasons.values()))))
        self.reasons = reasons


@transaction.atomic
def save_edits(
    *,
    edits: Sequence[Edit],
    user: AbstractBaseUser | None,
    reason: str,
    now: datetime,
) -> int:
    """Save all edits or none, as one entry of the matrix's history; how many values changed.

    Raises:
        RefusedEditsError: a value outside [0, 1], a pair of one thing with itself or of something
            that is gone, or a value that somebody else changed since the editor saw it.
    """
    with connection.cursor() as cursor:  # a second editor waits, and is told what changed
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MATRIX_LOCK])
    wanted = {edit.pair: edit for edit in edits}
    rows = _rows(wanted)
    reasons = _refusals(wanted, rows)
    if reasons:
        raise RefusedEditsError(reasons)
    note = {"default_user": user, "default_change_reason": reason[:100], "default_date": now}
    return sum(_write(level, wanted, rows, note) for level in Level)


def edits_to(target: Values, current: Values) -> list[Edit]:
    """The edits that lead from the current values to the target."""
    return [
        Edit(*pair, similarity=target.get(pair), seen=current.get(pair))
        for pair in sorted(target.keys() | current.keys())
        if target.get(pair) != current.get(pair)
    ]


def _rows(pairs: dict[Pair, Edit]) -> dict[Pair, UnorderedPair]:
    rows = {}
    for level, model in MODELS.items():
        firsts = {a_id for of, a_id, _ in pairs if of is level}
        for row in model.objects.filter(a__in=firsts):
            rows[level, row.a_id, row.b_id] = row
    return {pair: row for pair, row in rows.items() if pair in pairs}


def _refusals(wanted: dict[Pair, Edit], rows: dict[Pair, UnorderedPair]) -> dict[Pair, str]:
    there = {level: set(side.objects.values_list("pk", flat=True)) for level, side in SIDES.items()}
    reasons = {}
    for pair, edit in wanted.items():
        stored = rows[pair].similarity if pair in rows else None
        reason = _refusal(edit, stored, there[edit.level])
        if reason:
            reasons[pair] = reason
    return reasons


def _refusal(edit: Edit, stored: float | None, there: set[int]) -> str | None:
    if edit.a_id == edit.b_id:
        return "one thing is like itself by definition; this value cannot be set"
    if not {edit.a_id, edit.b_id} <= there:
        return "one of the two was deleted meanwhile; load the page again"
    if edit.similarity is not None and not 0 <= edit.similarity <= 1:
        return f"a similarity lies between 0 and 1; got {edit.similarity:g}"
    if edit.seen != stored:
        now = "the default" if stored is None else f"{stored:g}"
        return f"somebody changed it to {now} meanwhile; load the page again"
    return None


def _write(
    level: Level,
    wanted: dict[Pair, Edit],
    rows: dict[Pair, UnorderedPair],
    note: dict[str, object],
) -> int:
    model, new, changed, gone = MODELS[level], [], [], []
    for pair, edit in wanted.items():
        if pair[0] is not level or edit.similarity == edit.seen:
            continue
        row = rows.get(pair)
        if edit.similarity is None:
            gone.append(row)
        elif row is None:
            new.append(model(a_id=pair[1], b_id=pair[2], similarity=edit.similarity))
        else:
            row.similarity = edit.similarity
            changed.append(row)
    bulk_create_with_history(new, model, **note)
    bulk_update_with_history(changed, model, ["similarity"], batch_size=1_000, **note)
    for row in gone:  # few: the bulk helpers know no deletion
        row._history_user, row._history_date = note["default_user"], note["default_date"]
        row._change_reason = note["default_change_reason"]
        row.delete()
    return len(new) + len(changed) + len(gone)
