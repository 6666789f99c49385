"""What moves when two products become one, and back; inside the caller's transaction.

Popularity's counted part needs no code here: the database counts purchases where they are.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet
from simple_history.utils import bulk_update_with_history

from catalog.models import Stock
from fashrec_site.merging.models import ProductMerge
from recommender.merchandising.models import MerchandisingRule
from shoppers.models import Event, ProductPopularity, Purchase


def lock_popularity(*product_ids: int) -> None:
    """Lock both in key order before anything is counted, as everybody does."""
    rows = ProductPopularity.objects.filter(pk__in=product_ids).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))


def lock_rules(*product_ids: int) -> None:
    """Lock the products' pins and boosts before the products, as whoever changes rules does."""
    rows = MerchandisingRule.objects.filter(product__in=product_ids).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))


def move_purchases(merge: ProductMerge) -> None:
    """All of the merged product's, but for those that the kept one has too."""
    own = Purchase.objects.filter(product=merge.merged_id)
    same = Purchase.objects.filter(
        product=merge.kept_id, shopper=OuterRef("shopper"), purchased_at=OuterRef("purchased_at")
    )
    merge.n_purchases_twice = own.filter(Exists(same)).delete()[0]
    merge.purchases = list(own.values_list("pk", flat=True))
    own.update(product=merge.kept_id)


def move_events(merge: ProductMerge) -> None:
    """All of them; their keys stay, so that one sent again is still known."""
    own = Event.objects.filter(product=merge.merged_id)
    merge.events = list(own.values_list("pk", flat=True))
    own.update(product=merge.kept_id)


def move_base(merge: ProductMerge) -> None:
    """The stored base adds up; a simulated one is dropped where the other is real."""
    rows = ProductPopularity.objects.in_bulk([merge.kept_id, merge.merged_id])
    kept, merged = rows[merge.kept_id], rows[merge.merged_id]
    if kept.base and kept.base_is_simulated != merged.base_is_simulated:
        return
    merge.base = merged.base
    _bases(merge.merged_id).update(base=0)
    _bases(merge.kept_id).update(
        base=F("base") + merge.base, base_is_simulated=merged.base_is_simulated
    )


def move_stock(merge: ProductMerge) -> None:
    """Pieces of one store add up: each lies there under one of the two item ids."""
    kept = {stock.store_id: stock for stock in _stock(merge.kept_id).select_for_update()}
    for stock in _stock(merge.merged_id).select_for_update().order_by("store_id"):
        own = kept.get(stock.store_id)
        before = own.quantity if own else None
        merge.stock.append([stock.store_id, stock.quantity, before, stock.quantity + (before or 0)])
        if own is None:
            Stock.objects.filter(pk=stock.pk).update(product=merge.kept_id)
        else:
            Stock.objects.filter(pk=own.pk).update(quantity=F("quantity") + stock.quantity)
            stock.delete()


def move_rules(merge: ProductMerge, now: datetime) -> None:
    """Pins and boosts that hold or will, but where the kept product has one of its own."""
    rules = _rules(merge.merged_id).not_over(now)
    merge.rules = _give_rules(rules, to=merge.kept_id)


def return_rules(merge: ProductMerge) -> None:
    """Those that are still there, and fit beside what was made since."""
    _give_rules(_rules(merge.kept_id).filter(pk__in=merge.rules), to=merge.merged_id)


def return_purchases(merge: ProductMerge) -> int:
    """Those that are still there; how many."""
    rows = Purchase.objects.filter(pk__in=merge.purchases, product=merge.kept_id)
    return rows.update(product=merge.merged_id)


def return_events(merge: ProductMerge) -> int:
    """Those that are still there; how many."""
    rows = Event.objects.filter(pk__in=merge.events, product=merge.kept_id)
    return rows.update(product=merge.merged_id)


def return_base(merge: ProductMerge) -> None:
    """What of it is still there: somebody may have set the base since."""
    kept = ProductPopularity.objects.get(pk=merge.kept_id)
    n_left = min(merge.base, kept.base)
    _bases(merge.kept_id).update(base=F("base") - n_left)
    _bases(merge.merged_id).update(base=F("base") + n_left)


def return_stock(merge: ProductMerge) -> list[str]:
    """The pieces of stores that have as many as after the merge; the names of the other stores."""
    kept = {stock.store_id: stock for stock in _stock(merge.kept_id).select_related("store")}
    changed = []
    for store_id, moved, before, after in merge.stock:
        own = kept.get(store_id)
        if own is None or own.quantity != after:
            changed += [own.store.name] if own else []
        elif before is None:
            Stock.objects.filter(pk=own.pk).update(product=merge.merged_id)
        else:
            Stock.objects.filter(pk=own.pk).update(quantity=before)
            Stock.objects.create(product_id=merge.merged_id, store_id=store_id, quantity=moved)
    return sorted(changed)


def _give_rules(rules: Sequence[MerchandisingRule], to: int) -> list[int]:
    """The keys of the rules that have another product now; the others would contradict its own."""
    given = [rule for rule in rules if not _rules(to).beside(rule).exists()]
    for rule in given:
        rule.product_id = to
    bulk_update_with_history(given, MerchandisingRule, ["product"])
    return [rule.pk for rule in given]


def _rules(product_id: int) -> QuerySet[MerchandisingRule]:
    return MerchandisingRule.objects.filter(product=product_id)


def _bases(product_id: int) -> QuerySet[ProductPopularity]:
    return ProductPopularity.objects.filter(pk=product_id)


def _stock(product_id: int) -> QuerySet[Stock]:
    return Stock.objects.filter(product=product_id)
