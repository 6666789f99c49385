"""One sentence that says why a product is recommended, written from its terms."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.models import Product
from shoppers.models import Event

if TYPE_CHECKING:
    from recommender.answers import Because, Recommendation

WORTH_NAMING = 0.2  # of the relevance: what adds less explains nothing
DEEDS = {
    Event.Kind.PURCHASE: "bought",
    Event.Kind.CART: "put into your cart",
    Event.Kind.FAVOURITE: "liked",
    Event.Kind.VIEW: "looked at",
}


def reason_of(item: "Recommendation") -> str:
    """Why: the largest term in words and numbers, and the next one where it counts.

    Such as "Looks like Blue Jeans, which you bought in May 2025 (visual 0.52 of 0.71); popular,
    like what you usually pick." What is pinned says so first.
    """
    by_size = sorted(WORDS, key=lambda name: -getattr(item.terms, name))
    first, second = by_size[:2]
    lead = WORDS[first](item)
    numbers = f"({first} {getattr(item.terms, first):.2f} of {item.relevance:.2f})"
    if item.pinned:
        return f"Placed here by the shop; {lead} {numbers}."
    if getattr(item.terms, second) < WORTH_NAMING * item.relevance:
        return f"{_capital(lead)} {numbers}."
    return f"{_capital(lead)} {numbers}; {WORDS[second](item)}."


def _looks(item: "Recommendation") -> str:
    return f"looks like {_deed(item.because)}" if item.because else "looks like what you like"


def _kind(item: "Recommendation") -> str:
    if item.because is None:
        return "is of a kind that you like"
    is_same = item.because.product.category_id == item.product.category_id
    return f"{'the same' if is_same else 'a similar'} kind as {_deed(item.because)}"


def _popularity(item: "Recommendation") -> str:
    described = "popular" if item.normalized_popularity >= 0.5 else "seldom bought"
    has_bought = item.because is not None and item.because.kind == Event.Kind.PURCHASE
    return f"{described}, like what you usually pick" if has_bought else f"{described} so far"


def _near(item: "Recommendation") -> str:
    place = item.availability
    if place is None or place.distance_km is None:
        return "near you"
    return f"{place.store.name} has it, {place.distance_km:.1f} km from you"


def _by_shop(item: "Recommendation") -> str:
    return "recommended by the shop"


def _deed(because: "Because") -> str:
    when = f"{because.at:%B %Y}"
    return f"{_name(because.product)}, which you {DEEDS[because.kind]} in {when}"


def _name(product: Product) -> str:
    described = f"{product.color} {product.category.name}".replace("_", " ").strip().lower()
    return product.title or described


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


WORDS: dict[str, Callable[["Recommendation"], str]] = {
    "visual": _looks,
    "popularity": _popularity,
    "category": _kind,
    "proximity": _near,
    "merchandising": _by_shop,
}
