"""The shipped category similarity: DeepFashion's categories, their groups, the groups' values.

It enters the database on demand, with the first DeepFashion category, so that a shop with
categories of its own never sees groups that it does not use.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import transaction
from simple_history.utils import bulk_create_with_history

from catalog.models import CategoryGroup, GroupSimilarity

SHIPPED_FILE = Path(__file__).resolve().parent.parent / "data" / "category_similarity.json"


@dataclass(frozen=True)
class ShippedSimilarity:
    """The file's content, by the groups' names."""

    groups: dict[str, tuple[str, ...]]  # categories by group
    similarities: dict[tuple[str, str], float]  # by pair of groups, in [0, 1]


@cache
def shipped_similarity() -> ShippedSimilarity:
    """The shipped groups and values, read once."""
    shipped = json.loads(SHIPPED_FILE.read_text(encoding="utf-8"))
    names = {group["letter"]: group["name"] for group in shipped["groups"]}
    return ShippedSimilarity(
        groups={group["name"]: tuple(group["categories"]) for group in shipped["groups"]},
        similarities={
            (names[a], names[b]): value for (a, b), value in shipped["similarities"].items()
        },
    )


def shipped_group(category_name: str) -> str | None:
    """The name of the group that a DeepFashion category is shipped in; None for any other."""
    for group, categories in shipped_similarity().groups.items():
        if category_name in categories:
            return group
    return None


@transaction.atomic
def ensure_shipped_groups() -> None:
    """Create the shipped groups and the values between them, where they are not there yet.

    Values that exist stay as they are; once all the groups exist nothing is written any more, so
    that a value which a curator deleted does not come back.
    """
    shipped = shipped_similarity()
    found = CategoryGroup.objects.in_bulk(list(shipped.groups), field_name="name")
    if len(found) == len(shipped.groups):
        return
    groups = {
        name: found.get(name) or CategoryGroup.objects.create(name=name) for name in shipped.groups
    }
    pairs = []
    for (first, second), value in shipped.similarities.items():
        a, b = sorted((groups[first], groups[second]), key=lambda group: group.pk)
        pairs.append(GroupSimilarity(a=a, b=b, similarity=value))
    bulk_create_with_history(
        pairs, GroupSimilarity, ignore_conflicts=True, default_change_reason="shipped"
    )
