"""A coat that is listed twice, with what was bought and done under either item id."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.models import Product, Stock
from embeddings.duplicates.models import DuplicatePair
from shoppers.models import Event, ProductPopularity, Purchase
from tests.factories import (
    ProductFactory,
    PurchaseFactory,
    ShopperFactory,
    StockFactory,
    StoreFactory,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Coats:
    """Two listings of one coat, and the pair that they are."""

    kept: Product
    other: Product
    pair: DuplicatePair


def two_coats() -> Coats:
    """Ann bought both at the same moment; Bea bought the other one, looked at it and returned."""
    kept, other = ProductFactory(item_id="coat"), ProductFactory(item_id="old-coat")
    ann, bea = ShopperFactory(external_id="ann"), ShopperFactory(external_id="bea")
    for shopper, product, minutes in ((ann, kept, 0), (ann, other, 0), (bea, other, 5)):
        at = NOON + timedelta(minutes=minutes)
        PurchaseFactory(shopper=shopper, product=product, purchased_at=at)
    Event.objects.create(shopper=bea, product=other, kind="view", occurred_at=NOON, key="seen")
    vienna, graz = StoreFactory(name="Vienna"), StoreFactory(name="Graz")
    StockFactory(product=kept, store=vienna, quantity=3)
    StockFactory(product=other, store=vienna, quantity=2)
    StockFactory(product=other, store=graz, quantity=1)
    ProductPopularity.objects.filter(product=kept).update(base=10)
    ProductPopularity.objects.filter(product=other).update(base=4)
    pair = DuplicatePair.objects.create(
        a=kept, b=other, likeness=0.9, cosine=0.95, n_bits=4, color_distance=1.5, found_at=NOW
    )
    return Coats(kept, other, pair)


def popularity() -> dict[str, tuple[int, int]]:
    rows = ProductPopularity.objects.values_list("product__item_id", "base", "counted")
    return {item_id: (base, counted) for item_id, base, counted in rows}


def stock() -> dict[tuple[str, str], int]:
    rows = Stock.objects.values_list("product__item_id", "store__name", "quantity")
    return {(item_id, store): quantity for item_id, store, quantity in rows}


def everything() -> list:
    """All that a merge touches, as it is."""
    products = Product.objects.order_by("pk").values("pk", "is_active", "merged_into")
    return [
        list(products),
        popularity(),
        stock(),
        sorted(Purchase.objects.values_list("shopper__external_id", "product__item_id")),
        sorted(Event.objects.values_list("key", "product__item_id")),
    ]
