"""Changing merchandising rules; whatever is done is kept with who did it, and when."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from catalog.models import Category, Product
from recommender.merchandising.models import MerchandisingRule

MAX_RULES = 1_000  # at a time: every ranking looks at their products
VALUES = ("boost", "position", "note")


class MerchandisingError(ValueError):
    """A rule that cannot be; the message says why and what to do."""


def boost(
    *,
    products: Iterable[Product],
    amount: float,
    category: Category | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    note: str = "",
) -> list[MerchandisingRule]:
    """Raise the products' relevance by `amount`, in place of what raised or lowered it there.

    An earlier rule that would hold longer holds again afterwards.

    One transaction: all of them or none. Cost: a few statements, however many products.

    Args:
        products: what to recommend more.
        amount: above 0, at most `MAX_BOOST`; .1 is felt, 1 beats nearly everything.
        category: where; None: everywhere (`recommender.merchandising.rules`).
        starts_at: from when on; by default from now on.
        ends_at: until when; None: until it is ended.
        note: why, for colleagues.

    Raises:
        MerchandisingError: an amount or dates that make no sense, or too many rules.
    """
    if not amount > 0:
        raise MerchandisingError(f"a boost must be above 0; got {amount}")
    return _put(products, category, starts_at, ends_at, {"boost": amount, "note": note})


def bury(
    *,
    products: Iterable[Product],
    amount: float,
    category: Category | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    note: str = "",
) -> list[MerchandisingRule]:
    """Lower the products' relevance by `amount`, which is above 0. Otherwise as `boost`."""
    if not amount > 0:
        raise MerchandisingError(f"say by how much to bury, above 0; got {amount}")
    return _put(products, category, starts_at, ends_at, {"boost": -amount, "note": note})


def pin(
    *,
    product: Product,
    position: int,
    category: Category | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    note: str = "",
) -> MerchandisingRule:
    """Give the product this place in recommendations, in place of what was pinned there.

    A product has one place: an earlier pin of it in the same scope ends, too. Arguments as `boost`.

    Args:
        position: from 1 to `MAX_POSITION`; in shorter lists it comes last.

    Raises:
        MerchandisingError: a position or dates that make no sense, or too many rules.
    """
    (rule,) = _put([product], category, starts_at, ends_at, {"position": position, "note": note})
    return rule


def end_rules(*, rules: QuerySet[MerchandisingRule], now: datetime) -> int:
    """Let the rules end now; those that have not begun are deleted. How many there were.

    What is over already stays as it is.
    """
    with transaction.atomic():
        return _end(_locked(rules.not_over(now)), now)


def _put(
    products: Iterable[Product],
    category: Category | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    values: dict[str, Any],
) -> list[MerchandisingRule]:
    starts_at = starts_at or timezone.now()
    rules = [
        MerchandisingRule(
            product=product, category=category, starts_at=starts_at, ends_at=ends_at, **values
        )
        for product in {product.pk: product for product in products}.values()
    ]
    if not rules:
        return []
    _check(rules[0])
    try:
        with transaction.atomic():
            _make_room(_locked(_replaced_by(rules)), starts_at, ends_at)
            _check_number(len(rules))
            return bulk_create_with_history(rules, MerchandisingRule)
    except IntegrityError as error:
        raise MerchandisingError(
            "somebody else changed the rules of these products just now; look again"
        ) from error


def _check(rule: MerchandisingRule) -> None:
    """Everything that the rules of one call share."""
    try:
        rule.clean_fields(exclude=["product", "category"])
        rule.validate_constraints(exclude=["product", "category"])
    except ValidationError as error:
        raise MerchandisingError(" ".join(error.messages)) from error


def _check_number(n_new: int) -> None:
    n_rules = MerchandisingRule.objects.not_over(timezone.now()).count() + n_new
    if n_rules > MAX_RULES:
        raise MerchandisingError(
            f"at most {MAX_RULES} rules may hold or wait; these would make {n_rules}. End some "
            "first, or choose fewer products"
        )


def _replaced_by(rules: Sequence[MerchandisingRule]) -> QuerySet[MerchandisingRule]:
    """Rules of the same scope that cannot hold beside these."""
    first = rules[0]
    there = MerchandisingRule.objects.filter(category=first.category).overlapping(
        first.starts_at, first.ends_at
    )
    same_products = Q(product__in=[rule.product_id for rule in rules])
    if first.position is None:
        return there.filter(same_products, position__isnull=True)
    return there.pins().filter(same_products | Q(position=first.position))


def _make_room(
    rules: Sequence[MerchandisingRule], starts_at: datetime, ends_at: datetime | None
) -> None:
    """No rule of these holds between the dates; what would hold after them does so again."""
    later = [
        MerchandisingRule(
            starts_at=ends_at,
            **{name: getattr(rule, name) for name in ("product", "category", *VALUES, "ends_at")},
        )
        for rule in rules
        if ends_at is not None and (rule.ends_at is None or rule.ends_at > ends_at)
    ]
    _end(rules, starts_at)
    bulk_create_with_history(later, MerchandisingRule)


def _locked(rules: QuerySet[MerchandisingRule]) -> list[MerchandisingRule]:
    return list(rules.select_for_update(of=("self",)).select_related("product", "category"))


def _end(rules: Sequence[MerchandisingRule], at: datetime) -> int:
    begun = [rule for rule in rules if rule.starts_at < at]
    for rule in begun:
        rule.ends_at = at
    bulk_update_with_history(begun, MerchandisingRule, ["ends_at"])
    for rule in rules:
        if rule.starts_at >= at:
            rule.delete()
    return len(rules)
