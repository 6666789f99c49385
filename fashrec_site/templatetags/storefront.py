"""Template filters of the storefront."""

from pathlib import PurePath
from typing import NamedTuple

from django import template

from recommender.relevance import Terms
from shoppers.models import Shopper

register = template.Library()


class Bar(NamedTuple):
    """A part of a stacked bar, in percent of the longest."""

    name: str
    start: str
    width: str


@register.filter
def bars(terms: Terms, scale: float) -> list[Bar]:
    """The weighted terms as adjoining parts of a bar of 100, where `scale` fills it.

    A negative term (a cosine below 0) has no part of its own; the numbers beside it show it.
    """
    parts, start = [], 0.0
    for name in ("visual", "popularity", "category", "proximity"):
        width = 100 * max(0.0, getattr(terms, name)) / scale
        parts.append(Bar(name, f"{start:.2f}", f"{width:.2f}"))
        start += width
    return parts


@register.filter
def spaced(name: str) -> str:
    """A category's name with spaces: Tees_Tanks reads Tees Tanks."""
    return name.replace("_", " ")


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
