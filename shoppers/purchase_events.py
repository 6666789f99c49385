"""Events that change what a shopper owns: purchases, and returns that take them back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from shoppers.models import Event, ProductPopularity, Purchase


def lock_popularity_of(events: Iterable[Event]) -> None:
    """Lock what purchases and returns will count, in key order, until the transaction ends.

    Their triggers lock in that order too, but once for what is added and once for what is removed:
    two calls that do both could wait for each other.
    """
    moving = {e.product_id for e in events if e.kind in (Event.Kind.PURCHASE, Event.Kind.RETURN)}
    if moving:
        rows = ProductPopularity.objects.filter(product__in=moving).order_by("pk")
        list(rows.select_for_update().values_list("pk", flat=True))


def add_purchases(events: Iterable[Event]) -> None:
    """Add a purchase for each purchase event; one that is there already is left as it is."""
    Purchase.objects.bulk_create(
        [
            Purchase(shopper_id=e.shopper_id, product_id=e.product_id, purchased_at=e.occurred_at)
            for e in events
            if e.kind == Event.Kind.PURCHASE
        ],
        ignore_conflicts=True,
    )


def take_back_purchases(events: Sequence[Event]) -> list[Event]:
    """Delete the purchase of each return event; the returns that had none to take back.

    The n-th return of a product takes back the n-th purchase of it that is left: oldest first, so
    that returns find their purchases whenever any assignment finds them all. The others' events
    keep when their purchases were made, in memory, for the caller to store.
    """
    returns = sorted(
        (e for e in events if e.kind == Event.Kind.RETURN), key=lambda e: e.occurred_at
    )
    if not returns:
        return []
    left = _purchases_left(returns)
    taken, hopeless = [], []
    for event in returns:
        purchases = left[event.shopper_id, event.product_id]
        if purchases and purchases[0].purchased_at <= event.occurred_at:
            purchase = purchases.pop(0)
            event.returned_purchase_at = purchase.purchased_at
            taken.append(purchase.pk)
        else:
            hopeless.append(event)
    if not hopeless:
        Purchase.objects.filter(pk__in=taken).delete()
    return hopeless


def _purchases_left(returns: Sequence[Event]) -> dict[tuple[int, int], list[Purchase]]:
    """By shopper and product, oldest first."""
    left = defaultdict(list)
    rows = Purchase.objects.filter(
        shopper__in={e.shopper_id for e in returns}, product__in={e.product_id for e in returns}
    )
    for purchase in rows.order_by("purchased_at", "pk"):
        left[purchase.shopper_id, purchase.product_id].append(purchase)
    return left
