"""Sets of recommendations as the log keeps them, and as they are read again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from catalog.places import Place
from embeddings.models import Backbone
from recommender.answers import Because, Rail, Recommendation, RecommendationSet
from recommender.availability import ShownProduct, shown_products
from recommender.history import Visitor
from recommender.models import RecommendationLog, Tier
from recommender.ranking import RankingSettings
from recommender.relevance import Terms
from shoppers.models import Shopper

READABLE_FOR = timedelta(hours=24)
TERMS = tuple(Terms.__dataclass_fields__)


class SetExpired(Exception):  # noqa: N818 - what happened
    """It was given too long ago to be read again."""


@dataclass(frozen=True)
class Circumstances:
    """What a set was ranked with, beside the settings."""

    near: Place | None
    values: dict[str, Any]  # whatever else was asked for, as JSON
    n_statements: int
    n_unproven: int


def store(
    visitor: Visitor,
    tier: Tier,
    settings: RankingSettings,
    rails: Sequence[Rail],
    items: Sequence[Recommendation],
    circumstances: Circumstances,
) -> RecommendationSet:
    """Log an answer; the set that it is from now on. One statement."""
    in_rails = [item for rail in rails for item in rail.items]
    places = {_identity(item): place for place, item in enumerate(in_rails)}
    beside = [item for item in items if item.pinned or _identity(item) not in places]
    of_list = {item.product.pk: place for place, item in enumerate(beside, start=len(in_rails))}
    near = circumstances.near
    log = RecommendationLog.objects.create(
        **_owner(visitor),
        tier=tier,
        settings=settings.as_json()
        | circumstances.values
        | {"near": near and [near.latitude, near.longitude]},
        rails=[_rail_entry(rail) for rail in rails],
        items=[
            *(_item_entry(item, in_rail=True) for item in in_rails),
            *(_item_entry(item, in_rail=False) for item in beside),
        ],
        merged=[of_list.get(item.product.pk, places.get(_identity(item))) for item in items],
        n_statements=circumstances.n_statements,
        n_unproven=circumstances.n_unproven,
    )
    return RecommendationSet(log.pk, tier, settings, list(rails), list(items))


def find_set(set_id: UUID) -> RecommendationLog | None:
    """The set's row with the shopper or session that it was for. One statement."""
    rows = RecommendationLog.objects.select_related("shopper", "session__shopper")
    return rows.filter(pk=set_id).first()


def read_set(log: RecommendationLog, *, now: datetime) -> RecommendationSet:
    """The set as it was given; products that are gone since are missing. One statement.

    Stores are those that have the products in stock now.

    Raises:
        SetExpired: it is older than 24 hours.
    """
    was_kept_whole = bool(log.merged) or not log.items  # not by versions that kept less
    if log.created_at < now - READABLE_FOR or not was_kept_whole:
        raise SetExpired
    near = log.settings.get("near")
    origin = Place(*near) if near else home_of(log.shopper)
    keys = {entry["product"] for entry in [*log.items, *log.rails]}
    shown = shown_products(keys, origin)
    because = {
        entry["key"]: _because(entry, shown) for entry in log.rails if entry["product"] in shown
    }
    listed = [_item(entry, because, shown) for entry in log.items]
    of_rails = [i for i, entry in zip(listed, log.items, strict=True) if entry.get("in_rail", True)]
    rails = [
        Rail(
            because[entry["key"]],
            [i for i in of_rails if i and i.because and i.because.key == entry["key"]],
            entry["proven"],
        )
        for entry in log.rails
        if entry["key"] in because
    ]
    items = [
        replace(item, pinned=item.pinned and not log.items[place]["in_rail"])
        for place in log.merged
        if (item := listed[place]) is not None
    ]
    return RecommendationSet(log.pk, Tier(log.tier), _settings(log.settings), rails, items)


def home_of(visitor: Visitor | None) -> Place | None:
    """Where a shopper lives; nobody knows it of a session."""
    if not isinstance(visitor, Shopper) or visitor.latitude is None or visitor.longitude is None:
        return None
    return Place(visitor.latitude, visitor.longitude)


def _owner(visitor: Visitor) -> dict[str, Visitor]:
    return {"shopper" if isinstance(visitor, Shopper) else "session": visitor}


def _identity(item: Recommendation) -> tuple[int | None, int]:
    return item.because and item.because.key, item.product.pk


def _rail_entry(rail: Rail) -> dict[str, Any]:
    because = rail.because
    return {
        "key": because.key,
        "kind": str(because.kind),
        "product": because.product.pk,
        "at": because.at.isoformat(),
        "proven": rail.proven,
    }


def _item_entry(item: Recommendation, *, in_rail: bool) -> dict[str, Any]:
    return {
        "in_rail": in_rail,
        "pinned": item.pinned,
        "purchase": item.because and item.because.key,
        "product": item.product.pk,
        "relevance": item.relevance,
        "normalized_popularity": item.normalized_popularity,
    } | {name: getattr(item.terms, name) for name in TERMS}


def _because(entry: dict[str, Any], shown: dict[int, ShownProduct]) -> Because:
    at = datetime.fromisoformat(entry["at"])
    return Because(entry["key"], entry["kind"], shown[entry["product"]].product, at)


def _item(
    entry: dict[str, Any], because: dict[int, Because], shown: dict[int, ShownProduct]
) -> Recommendation | None:
    """None where the product is gone or retired, or that which it was compared with is gone."""
    product = shown.get(entry["product"])
    is_orphan = entry["purchase"] is not None and entry["purchase"] not in because
    if product is None or not product.product.is_active or is_orphan:
        return None
    return Recommendation(
        because=because.get(entry["purchase"]),
        product=product.product,
        terms=Terms(**{name: entry[name] for name in TERMS if name in entry}),
        normalized_popularity=entry["normalized_popularity"],
        availability=product.availability,
        pinned=entry.get("pinned", False),
    )


def _settings(stored: dict[str, Any]) -> RankingSettings:
    """As they were; of the backbone only what the log says of it."""
    names = RankingSettings.__dataclass_fields__
    backbone = stored["backbone"] and Backbone(
        name=stored["backbone"], weights_sha256=stored["weights_sha256"]
    )
    return RankingSettings(
        **{n: stored[n] for n in names if n in stored and n != "backbone"}, backbone=backbone
    )
