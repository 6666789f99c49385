"""Template tags of the storefront."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from django import template

from shoppers.models import Shopper

register = template.Library()
TERMS = ("visual", "popularity", "category", "proximity", "merchandising")


class Bar(NamedTuple):
    """A part of a stacked bar, in percent of the longest."""

    name: str
    start: str
    width: str


@register.filter
def bars(terms: Mapping[str, float], scale: float) -> list[Bar]:
    """The weighted terms as adjoining parts of a bar of 100, where `scale` fills it.

    A negative term (a cosine below 0, something buried) has no part of its own; the numbers beside
    it show it.
    """
    parts, start = [], 0.0
    for name in TERMS:
        width = 100 * max(0.0, terms[name]) / scale
        parts.append(Bar(name, f"{start:.2f}", f"{width:.2f}"))
        start += width
    return parts


@register.filter
def spaced(name: str) -> str:
    """A category's name with spaces: Tees_Tanks reads Tees Tanks."""
    return name.replace("_", " ")


@register.filter
def product_name(product: Mapping[str, Any]) -> str:
    """Its title; of a product without one, its category."""
    return product["title"] or spaced(product["category"]["name"])


@register.filter
def day(timestamp: str) -> date:
    """The day of a GraphQL DateTime, for `date`."""
    return datetime.fromisoformat(timestamp).date()


@register.filter
def made_for(product: Mapping[str, Any]) -> str:
    """For whom, in words; nothing for what suits everybody."""
    return "" if product["gender"] == "UNISEX" else product["gender"].capitalize()


@register.filter
def temper(shopper: Shopper) -> str:
    """The shopper's trendiness in words, by the report's thirds."""
    if shopper.trendiness < 0.33:
        return "avoids what everybody wears"
    return "a bit of both" if shopper.trendiness < 0.66 else "follows the trend"


@register.filter
def figure_title(name: str) -> str:
    """A picture's file name as words."""
    return PurePath(name).stem.replace("_", " ").replace("-", " ").capitalize()


@register.filter
def did(kind: str) -> str:
    """What somebody did, after their name: bought, liked."""
    done = {"PURCHASE": "bought", "CART": "chose", "FAVOURITE": "liked", "VIEW": "looked at"}
    return done[kind]


@register.filter
def in_list(item_id: str, item_ids: frozenset[str]) -> bool:
    """Whether it is one of them, for `include ... with`."""
    return item_id in item_ids


@register.simple_tag
def new_key() -> str:
    """An idempotency key for a form: sent twice, it is one event."""
    return str(uuid.uuid4())


@register.simple_tag(takes_context=True)
def address(context: template.Context, **changes: Any) -> str:
    """This page's address with other parameters; an empty one is left out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query[name] = value or ""
        if not value:
            del query[name]
    return f"?{query.urlencode()}"
