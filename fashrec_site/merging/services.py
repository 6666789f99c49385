"""Merging a product into another, and taking the two apart again; each in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from psycopg.errors import LockNotAvailable

from catalog.models import Product
from catalog.services import IMPORT_LOCK
from embeddings.duplicates.models import DuplicatePair
from fashrec_site.merging import moving
from fashrec_site.merging.models import ProductMerge

LOCK_TIMEOUT_MS = 3_000


class MergeRefusedError(Exception):
    """Nothing was changed; the message says why, and what to do."""


@dataclass(frozen=True)
class Undone:
    """What came back. `stores` have counted the pieces since, so theirs stayed where they are."""

    n_purchases: int
    n_events: int
    stores: list[str]


def merge_products(
    *,
    kept_id: int,
    merged_id: int,
    by: User | None,
    now: datetime,
    pair: DuplicatePair | None = None,
) -> ProductMerge:
    """Make one product of two: purchases, events, stock, popularity and rules go to the kept one.

    A purchase that both have (same shopper, same moment) is kept once; pieces of one store add up;
    a pin or boost stays behind where the kept product has one of its own.
    The merged product goes off sale, and its item id names the kept one from then on. Imports and
    events that name either wait for it; it waits for theirs.

    Raises:
        MergeRefusedError: one is gone, off sale or merged already, or an import is running.
    """
    with _one_at_a_time():
        moving.lock_rules(kept_id, merged_id)
        products = _locked(Q(pk__in=[kept_id, merged_id]) | Q(merged_into=merged_id))
        _check_mergeable(products.get(kept_id), products.get(merged_id))
        moving.lock_popularity(kept_id, merged_id)
        merge = ProductMerge(
            kept_id=kept_id,
            merged_id=merged_id,
            pair=pair,
            merged_by=by,
            merged_at=now,
            earlier=[pk for pk, product in products.items() if product.merged_into_id == merged_id],
        )
        moving.move_purchases(merge)
        moving.move_events(merge)
        moving.move_base(merge)
        moving.move_stock(merge)
        moving.move_rules(merge, now)
        Product.objects.filter(Q(pk=merged_id) | Q(pk__in=merge.earlier)).update(
            is_active=False, merged_into=kept_id, updated_at=now
        )
        merge.save()
    return merge


def undo_merge(*, merge_id: int, by: User | None, now: datetime) -> Undone:
    """Give the merged product back what moved, and put it on sale.

    What was bought or done under its item id since the merge stays with the kept product, as does
    the stock of stores that changed since, and what was recorded twice stays counted once.

    Raises:
        MergeRefusedError: it was undone already, or the kept product was merged itself.
    """
    with _one_at_a_time():
        merge = ProductMerge.objects.select_for_update(of=("self",)).filter(pk=merge_id).first()
        if merge is None or merge.undone_at is not None:
            raise MergeRefusedError("This merge was undone already.")
        moving.lock_rules(merge.kept_id, merge.merged_id)
        products = _locked(Q(pk__in=[merge.kept_id, merge.merged_id, *merge.earlier]))
        kept = products[merge.kept_id]
        if kept.merged_into_id is not None:
            raise MergeRefusedError(f"{kept.item_id} was merged itself: undo that merge first.")
        moving.lock_popularity(merge.kept_id, merge.merged_id)
        Product.objects.filter(pk=merge.merged_id).update(
            is_active=True, merged_into=None, updated_at=now
        )
        Product.objects.filter(pk__in=merge.earlier).update(merged_into=merge.merged_id)
        undone = Undone(
            n_purchases=moving.return_purchases(merge),
            n_events=moving.return_events(merge),
            stores=moving.return_stock(merge),
        )
        moving.return_base(merge)
        moving.return_rules(merge)
        merge.undone_by, merge.undone_at = by, now
        merge.save(update_fields=["undone_by", "undone_at"])
    return undone


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """A transaction beside which no catalogue is imported, and which does not wait for long.

    Raises:
        MergeRefusedError: somebody imports, or writes to the same rows for longer than that.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [IMPORT_LOCK])
                (is_free,) = cursor.fetchone()
            if not is_free:
                raise MergeRefusedError("An import is running: try again when it is done.")
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            message = "Something else writes to these products: try again in a minute."
            raise MergeRefusedError(message) from error
        raise


def _locked(products: Q) -> dict[int, Product]:
    """The products by key, which nobody else writes to, or refers to anew, for now."""
    rows = Product.objects.filter(products).order_by("pk").select_for_update(of=("self",))
    return {product.pk: product for product in rows}


def _check_mergeable(kept: Product | None, merged: Product | None) -> None:
    if kept is None or merged is None or kept.pk == merged.pk:
        raise MergeRefusedError("One of the two is gone.")
    for product in (kept, merged):
        if product.merged_into_id is not None:
            raise MergeRefusedError(f"{product.item_id} was merged into another one already.")
        if not product.is_active:
            raise MergeRefusedError(f"{product.item_id} is off sale: put it on sale first.")
