"""Looking for products that may be one, a bounded batch at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection, transaction

from embeddings.duplicates.candidates import Pair, nearest_by_hash, nearest_by_vector
from embeddings.duplicates.likeness import Likeness, Seen, likeness_of
from embeddings.duplicates.models import DuplicatePair, PhotoFingerprint
from embeddings.duplicates.photos import fingerprint_photos
from embeddings.duplicates.waiting import count_waiting, not_compared, without_fingerprint
from embeddings.models import Backbone, ProductVector
from embeddings.preference import best_backbone_with_vectors

SEARCH_LOCK = 0x0D0B1E5  # any number that no other advisory lock of the project has
BATCH = 128  # products that are compared in one transaction

Progress = Callable[[str, int, int], None]  # stage, done, total


class NothingToCompareError(Exception):
    """No product has a vector yet."""


class AlreadySearchingError(Exception):
    """Another process searches."""


@dataclass
class SearchReport:
    """What a search did. Pairs that are decided, or were found before, are no new ones."""

    n_compared: int = 0
    n_unreadable: int = 0  # photos
    n_new: int = 0
    n_open: int = 0


@dataclass(frozen=True)
class SearchState:
    """How far the comparison is, from the rows that say what is left to do."""

    n_products: int
    n_compared: int
    is_running: bool

    @property
    def n_waiting(self) -> int:
        """Products that were not compared yet, or have changed since."""
        return self.n_products - self.n_compared


def find_duplicates(*, now: datetime, on_progress: Progress | None = None) -> SearchReport:
    """Compare what is new or changed with its nearest, and put what is alike into the queue.

    Each batch is a transaction of its own: stopped at any moment, the next search goes on with the
    rest, and one that finds nothing new does nothing. Decided pairs stay decided.

    Cost: a photo is decoded once; the pairs looked at are at most 40 a product.

    Raises:
        NothingToCompareError: there are no vectors.
        AlreadySearchingError: another process searches.
    """
    on_progress = on_progress or _ignore
    backbone = best_backbone_with_vectors()
    if backbone is None:
        raise NothingToCompareError(
            "No product has a vector yet: import products, then run manage.py embed_products."
        )
    report = SearchReport()
    with _only_search():
        _forget_off_sale()
        _add_fingerprints(backbone, report, on_progress)
        waiting = not_compared(backbone).filter(embedding__image__fingerprint__isnull=False)
        total = waiting.count()
        for batch in _batches(waiting):
            report.n_new += _compare(batch, backbone, now)
            report.n_compared += len(batch)
            on_progress("Comparing products", min(report.n_compared, total), total)
    report.n_open = DuplicatePair.objects.to_decide().count()
    return report


def search_state() -> SearchState:
    """How far the comparison is, and whether somebody is at it. Three statements."""
    backbone = best_backbone_with_vectors()
    if backbone is None:
        return SearchState(0, 0, is_running=False)
    n_products, n_waiting = count_waiting(backbone)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [SEARCH_LOCK],
        )
        (is_running,) = cursor.fetchone()
    return SearchState(n_products, n_products - n_waiting, is_running)


def _forget_off_sale() -> None:
    """What comes back on sale is compared again: nobody compared it with what is new since."""
    compared = PhotoFingerprint.objects.exclude(compared_as="")
    compared.filter(image__product__is_active=False).update(compared_as="")


def _add_fingerprints(backbone: Backbone, report: SearchReport, on_progress: Progress) -> None:
    waiting = without_fingerprint(backbone)
    total, n_done = waiting.count(), 0
    for batch in _batches(waiting):
        report.n_unreadable += fingerprint_photos([row.image_id for row in batch])
        n_done += len(batch)
        on_progress("Reading photos", min(n_done, total), total)


def _batches(waiting: object) -> Iterator[list[ProductVector]]:
    """The rows in batches of one gender, each row once, whatever becomes of it."""
    for gender in waiting.order_by("gender").values_list("gender", flat=True).distinct():
        last = 0
        rows = waiting.filter(gender=gender).defer("vector").order_by("product_id")
        while batch := list(rows.filter(product_id__gt=last)[:BATCH]):
            yield batch
            last = batch[-1].product_id


@transaction.atomic
def _compare(batch: Sequence[ProductVector], backbone: Backbone, now: datetime) -> int:
    """Bring the open pairs of one batch up to date; how many pairs are new."""
    products = [row.product_id for row in batch]
    stored = DuplicatePair.objects.of(products)
    known = {(pair.a_id, pair.b_id): pair for pair in stored}
    found = compare_pairs(
        nearest_by_vector(products, batch[0].gender, backbone)
        | nearest_by_hash([row.image_id for row in batch])
        | known.keys(),
        backbone,
    )
    rows = [_row(pair, likeness, now) for pair, likeness in found.items() if likeness.is_alike]
    DuplicatePair.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["a", "b"],
        update_fields=["likeness", "cosine", "n_bits", "color_distance"],
    )
    unlike = [known[p].pk for p, likeness in found.items() if p in known and not likeness.is_alike]
    stored.filter(pk__in=unlike, decision=DuplicatePair.Decision.OPEN).delete()
    _mark(batch)
    return sum((row.a_id, row.b_id) not in known for row in rows)


def compare_pairs(pairs: set[Pair], backbone: Backbone) -> dict[Pair, Likeness]:
    """How alike each pair is; pairs that cannot be compared now are left out. One query."""
    ids = sorted({key for pair in pairs for key in pair})
    vectors = ProductVector.objects.filter(backbone=backbone, product__in=ids, is_active=True)
    rows = vectors.values_list(
        "product_id",
        "vector",
        "embedding__image__fingerprint__bits",
        "embedding__image__fingerprint__colors",
    )
    seen = {
        key: Seen(np.array(vector, np.float32), bits, bytes(colors))
        for key, vector, bits, colors in rows
        if bits is not None
    }
    return {
        (a, b): likeness_of(seen[a], seen[b]) for a, b in sorted(pairs) if a in seen and b in seen
    }


def _row(pair: Pair, likeness: Likeness, now: datetime) -> DuplicatePair:
    return DuplicatePair(
        a_id=pair[0],
        b_id=pair[1],
        likeness=likeness.value,
        cosine=likeness.cosine,
        n_bits=likeness.n_bits,
        color_distance=likeness.color_distance,
        found_at=now,
    )


def _mark(batch: Sequence[ProductVector]) -> None:
    by_fingerprint: dict[str, list[int]] = defaultdict(list)
    for row in batch:
        by_fingerprint[row.compared_as].append(row.image_id)
    for compared_as, images in by_fingerprint.items():
        PhotoFingerprint.objects.filter(image__in=images).update(compared_as=compared_as)


@contextmanager
def _only_search() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SEARCH_LOCK])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise AlreadySearchingError("Another process is looking for duplicates already.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SEARCH_LOCK])


def _ignore(stage: str, done: int, total: int) -> None:
    """No progress is wanted."""
