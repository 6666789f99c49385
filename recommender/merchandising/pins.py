"""Pins: products that have their place in a list from the shop, whatever their relevance."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from recommender.exact import rank_exactly
from recommender.merchandising.rules import Pin, Rules
from recommender.popular import rank_by_popularity
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct, Subquery


class Placeable(Protocol):
    """A product as a list shows it; a dataclass."""

    product_id: int
    pinned: bool


Item = TypeVar("Item", bound=Placeable)
CHOSEN = "SELECT unnest(%(pinned)s::bigint[])"


def rank_pinned(
    query: Query, settings: RankingSettings, rules: Rules, *, is_personal: bool
) -> list[RankedProduct]:
    """The pinned products that the query lets through, with their terms.

    Nobody gets what they bought or dismissed, what a filter leaves out or what is for others, for
    being pinned. Cost: one statement where something is pinned, which reads those products only.

    Args:
        query: whom for, and which candidates count.
        settings: weights, backbone, and how long a rail is.
        rules: the shop's.
        is_personal: whether they are compared with purchases; else with the trendiness only.
    """
    pins = rules.pins_of_list(query.listed_category_id)
    if is_personal:
        pins += [pin for pin in rules.pins if pin.category_id and pin.position <= settings.k]
    keys = sorted({pin.product_id for pin in pins})
    if not keys:
        return []
    narrow = replace(query, selection=_chosen(query, keys))
    if is_personal:
        return rank_exactly(narrow, settings.with_pool(len(keys)))
    return rank_by_popularity(narrow, settings, n=len(keys))


def with_pins(
    items: Sequence[Item], pins: Sequence[Pin], pinned: Sequence[Item], n: int | None = None
) -> list[Item]:
    """The list with the pinned products in their places, and the others around them in order.

    In a list that is shorter than its position a product comes last.

    Args:
        items: most relevant first.
        pins: by position.
        pinned: the products that may be shown, of the pins and others.
        n: how long the list may be; None: as long as it gets.
    """
    by_key = {item.product_id: item for item in pinned}
    places = [(pin.position, by_key[pin.product_id]) for pin in pins if pin.product_id in by_key]
    placed = {item.product_id for _, item in places}
    mixed = [item for item in items if item.product_id not in placed]
    for position, item in places:
        mixed.insert(position - 1, replace(item, pinned=True))
    return mixed[:n]


def _chosen(query: Query, keys: list[int]) -> Subquery:
    """Those of the products that the query's own selection has, too."""
    if query.selection is None:
        return Subquery(CHOSEN, {"pinned": keys})
    sql = f"{CHOSEN} INTERSECT ({query.selection.sql})"
    return Subquery(sql, {"pinned": keys, **query.selection.values})
