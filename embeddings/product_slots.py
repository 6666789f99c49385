"""Which garment in a photo a product is, by its category."""

import json
from functools import cache
from pathlib import Path

from django.db import models
from django.db.models import Case, Value, When

FILE = Path(__file__).with_suffix(".json")


@cache
def category_slots() -> dict[str, dict[str, list[str]]]:
    """For each slot the categories and the groups of categories that it is for."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def product_slot(category: str) -> Case:
    """The slot of a category, by its own name, else its group's; empty where it has none.

    `category` is the path from the queried model to it, such as "product__category__".
    """
    slots = category_slots().items()
    by_name = [
        When(**{f"{category}name__in": named["categories"], "then": Value(slot)})
        for slot, named in slots
    ]
    by_group = [
        When(**{f"{category}group__name__in": named["groups"], "then": Value(slot)})
        for slot, named in slots
    ]
    return Case(*by_name, *by_group, default=Value(""), output_field=models.CharField())
