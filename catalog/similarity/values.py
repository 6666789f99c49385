"""The matrix's stored values, and those of any earlier moment."""

import enum
from datetime import datetime

from catalog.models import (
    Category,
    CategoryGroup,
    CategorySimilarity,
    GroupSimilarity,
    UnorderedPair,
)


class Level(enum.StrEnum):
    """What a pair is a pair of."""

    GROUPS = "groups"
    CATEGORIES = "categories"


MODELS: dict[Level, type[UnorderedPair]] = {
    Level.GROUPS: GroupSimilarity,
    Level.CATEGORIES: CategorySimilarity,
}
SIDES = {Level.GROUPS: CategoryGroup, Level.CATEGORIES: Category}

Pair = tuple[Level, int, int]  # the smaller key first
Values = dict[Pair, float]


def ordered(level: Level, a_id: int, b_id: int) -> Pair:
    """The pair in key order."""
    return (level, min(a_id, b_id), max(a_id, b_id))


def stored_values() -> Values:
    """Every value that somebody set; pairs without one have their default. Two queries."""
    return {
        (level, a_id, b_id): similarity
        for level, model in MODELS.items()
        for a_id, b_id, similarity in model.objects.values_list("a_id", "b_id", "similarity")
    }


def values_at(moment: datetime) -> Values:
    """The values as they were set at a moment, of groups and categories that still exist."""
    values = {}
    for level, model in MODELS.items():
        there = set(SIDES[level].objects.values_list("pk", flat=True))
        newest = (
            model.history.filter(history_date__lte=moment)
            .order_by("a_id", "b_id", "-history_date", "-history_id")
            .distinct("a_id", "b_id")
        )
        for row in newest:
            if row.history_type != "-" and {row.a_id, row.b_id} <= there:
                values[level, row.a_id, row.b_id] = row.similarity
    return values


def names() -> dict[Level, dict[int, str]]:
    """Groups' and categories' names by key."""
    return {level: dict(model.objects.values_list("pk", "name")) for level, model in SIDES.items()}
