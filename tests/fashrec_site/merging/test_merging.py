"""A merge moves everything once, imports follow it, and undoing it gives back what it can."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from tablib import Dataset

from catalog.models import Product, Stock
from catalog.services import IMPORT_LOCK
from embeddings.duplicates.models import DuplicatePair
from fashrec_site.merging import services
from fashrec_site.merging.decisions import DecisionRefusedError, decide_pair, take_back
from fashrec_site.merging.models import ProductMerge
from fashrec_site.merging.services import MergeRefusedError, Undone, merge_products, undo_merge
from fashrec_site.workplace.stores.stock_file import StockResource
from recommender.merchandising.models import MerchandisingRule as Rule
from recommender.merchandising.services import boost, pin
from shoppers.event_import import import_events
from shoppers.events import NewEvent, RecordedEvents, record_events
from shoppers.models import Event, Purchase
from shoppers.services import import_purchases, rebuild_popularity
from tests.factories import CategoryFactory, ProductFactory, ShopperFactory
from tests.fashrec_site.merging.worlds import NOON, NOW, everything, popularity, stock, two_coats

pytestmark = pytest.mark.django_db


@pytest.fixture
def coats():
    return two_coats()


def merge(coats) -> ProductMerge:
    return merge_products(kept_id=coats.kept.pk, merged_id=coats.other.pk, by=None, now=NOW)


def test_everything_moves_and_nothing_counts_twice(coats):
    done = merge(coats)
    assert popularity() == {"coat": (14, 2), "old-coat": (0, 0)}
    assert stock() == {("coat", "Vienna"): 5, ("coat", "Graz"): 1}
    bought = Purchase.objects.values_list("shopper__external_id", "product__item_id")
    assert sorted(bought) == [("ann", "coat"), ("bea", "coat")]
    assert Event.objects.get().product == coats.kept
    assert (done.n_purchases_twice, len(done.purchases), len(done.events)) == (1, 1, 1)
    coats.other.refresh_from_db()
    assert (coats.other.is_active, coats.other.merged_into) == (False, coats.kept)
    assert rebuild_popularity() == 0


def test_imports_of_the_old_item_id_add_nothing_that_is_there_and_reach_the_kept_one(
    coats, tmp_path
):
    merge(coats)
    purchases, events = tmp_path / "purchases.csv", tmp_path / "events.csv"
    purchases.write_text(
        "shopper,item_id,timestamp\nbea,old-coat,2026-01-01T12:05:00Z\n"
        "ann,old-coat,2026-01-01T12:00:00Z\ncyd,old-coat,2026-01-02T12:00:00Z\n"
    )
    report = import_purchases(path=purchases)
    assert (report.n_added, report.n_already_there) == (1, 2)
    events.write_text(
        "kind,item_id,timestamp,shopper,key\nview,old-coat,2026-01-01T12:00:00Z,bea,seen\n"
        "view,old-coat,2026-01-03T12:00:00Z,bea,again\n"
    )
    report = import_events(path=events)
    assert (report.n_added, report.n_already_there) == (1, 1)
    assert popularity()["coat"] == (14, 3) and popularity()["old-coat"] == (0, 0)
    assert set(Event.objects.values_list("product__item_id", flat=True)) == {"coat"}


def test_events_under_the_old_item_id_are_the_kept_ones(coats):
    merge(coats)
    again = NewEvent(Event.Kind.VIEW, "old-coat", "seen", NOON, shopper="bea")
    new = NewEvent(Event.Kind.PURCHASE, "old-coat", "new", NOON, shopper="bea")
    assert record_events(events=[again, new], now=NOW) == RecordedEvents(1, 1)
    assert popularity()["coat"] == (14, 3)


@pytest.mark.parametrize(
    "rows",
    [
        [("old-coat", "Vienna", 2), ("coat", "Vienna", 7)],
        [("coat", "Vienna", 7), ("old-coat", "Vienna", 2)],
    ],
)
def test_a_stock_file_of_both_item_ids_adds_up_whatever_their_order(coats, rows):
    merge(coats)
    Stock.objects.all().delete()
    for _ in range(2):
        data = Dataset(*rows, ("old-coat", "Graz", 4), headers=["item_id", "store", "quantity"])
        result = StockResource().import_data(data)
        assert not result.has_errors() and not result.has_validation_errors()
        assert stock() == {("coat", "Vienna"): 9, ("coat", "Graz"): 4}


def test_undone_all_is_as_before_but_for_what_was_recorded_twice(coats):
    Purchase.objects.filter(shopper__external_id="ann", product=coats.other).delete()
    before = everything()
    done = merge(coats)
    assert everything() != before
    assert undo_merge(merge_id=done.pk, by=None, now=NOW) == Undone(1, 1, [])
    assert everything() == before
    with pytest.raises(MergeRefusedError, match="undone already"):
        undo_merge(merge_id=done.pk, by=None, now=NOW)


def test_what_came_since_stays_with_the_kept_one(coats):
    done = merge(coats)
    record_events(
        events=[NewEvent(Event.Kind.PURCHASE, "old-coat", "later", NOON, shopper="cyd")], now=NOW
    )
    Stock.objects.filter(store__name="Vienna").update(quantity=1)
    assert undo_merge(merge_id=done.pk, by=None, now=NOW) == Undone(1, 1, ["Vienna"])
    assert popularity() == {"coat": (10, 2), "old-coat": (4, 1)}
    assert stock() == {("coat", "Vienna"): 1, ("old-coat", "Graz"): 1}


def test_pins_and_boosts_follow_unless_the_kept_one_has_its_own_and_come_back(coats):
    hats = CategoryFactory(name="Hats")
    pin(product=coats.other, position=2)
    boost(products=[coats.other], amount=0.3, category=hats)
    boost(products=[coats.other], amount=0.5)
    boost(products=[coats.kept], amount=0.1)

    def rules():
        return {(r.product.item_id, r.kind, r.category, r.amount) for r in Rule.objects.all()}

    before = rules()
    done = merge(coats)
    assert rules() == {
        ("coat", "pin", None, 2),
        ("coat", "boost", hats, 0.3),
        ("old-coat", "boost", None, 0.5),
        ("coat", "boost", None, 0.1),
    }
    undo_merge(merge_id=done.pk, by=None, now=NOW)
    assert rules() == before
    assert Rule.history.filter(history_type="~").count() == 4  # two went and came


def test_a_rule_that_is_over_stays_with_the_merged_product(coats):
    pin(product=coats.other, position=2, starts_at=NOON, ends_at=NOW)
    merge(coats)
    assert Rule.objects.get().product == coats.other


def test_a_chain_of_merges_names_the_last_one_and_is_undone_backwards(coats):
    newest = ProductFactory(item_id="new-coat")
    first = merge(coats)
    second = merge_products(kept_id=newest.pk, merged_id=coats.kept.pk, by=None, now=NOW)
    assert set(Product.objects.keys_by_item_id().values()) == {newest.pk}
    with pytest.raises(MergeRefusedError, match="coat was merged itself: undo that merge first"):
        undo_merge(merge_id=first.pk, by=None, now=NOW)
    undo_merge(merge_id=second.pk, by=None, now=NOW)
    assert Product.objects.get(item_id="old-coat").merged_into == coats.kept
    undo_merge(merge_id=first.pk, by=None, now=NOW)
    assert not Product.objects.filter(merged_into__isnull=False).exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_active": False}, "coat is off sale: put it on sale first"),
        (None, "One of the two is gone"),
    ],
)
def test_what_cannot_be_merged_is_refused_and_nothing_changes(coats, change, reason):
    kept = Product.objects.filter(pk=coats.kept.pk)
    if change:
        kept.update(**change)
    before = everything()
    with pytest.raises(MergeRefusedError, match=reason):
        merge_products(
            kept_id=coats.kept.pk if change else 0, merged_id=coats.other.pk, by=None, now=NOW
        )
    assert everything() == before


def test_a_merge_does_not_wait_for_an_import(coats):
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [IMPORT_LOCK])
        with pytest.raises(MergeRefusedError, match="An import is running"):
            merge(coats)
    other.close()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_comes_while_a_merge_runs_is_the_kept_ones():
    coats = two_coats()
    holds, go_on = Signal(), Signal()

    def slow_merge():
        with transaction.atomic():
            merge(coats)
            holds.set()
            assert go_on.wait(20)
        connection.close()

    def late_event():
        assert holds.wait(20)
        go_on_soon.submit(lambda: (wait_until_blocked(), go_on.set()))
        new = NewEvent(Event.Kind.PURCHASE, "old-coat", "late", NOON, shopper="cyd")
        record_events(events=[new], now=NOW)
        connection.close()

    def wait_until_blocked():
        with connections.create_connection("default").cursor() as cursor:
            for _ in range(2_000):
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0]:
                    break
            cursor.connection.close()

    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(1) as go_on_soon:
        done = [pool.submit(slow_merge), pool.submit(late_event)]
        [task.result(timeout=60) for task in done]
    assert popularity()["coat"] == (14, 3)
    assert not Purchase.objects.filter(product=coats.other).exists()


@pytest.mark.django_db(transaction=True)
def test_a_merge_that_must_wait_too_long_says_so(monkeypatch):
    monkeypatch.setattr(services, "LOCK_TIMEOUT_MS", 50)
    coats = two_coats()
    other = connections.create_connection("default")
    with transaction.atomic(), other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT id FROM catalog_product ORDER BY id FOR KEY SHARE")
        with pytest.raises(MergeRefusedError, match="try again in a minute"):
            merge(coats)
        cursor.execute("ROLLBACK")
    other.close()
    assert Product.objects.filter(is_active=True).count() == 2


def test_an_erased_shoppers_rows_do_not_come_back(coats):
    done = merge(coats)
    ShopperFactory._meta.model.objects.get(external_id="bea").delete()
    assert undo_merge(merge_id=done.pk, by=None, now=NOW) == Undone(0, 0, [])


@pytest.mark.parametrize("decision", ["merged", "hidden", "distinct"])
def test_a_decision_is_remembered_and_can_be_taken_back(coats, decision):
    by = User.objects.create_user("cora")
    before = everything()[0]
    pair = decide_pair(
        pair_id=coats.pair.pk,
        decision=DuplicatePair.Decision(decision),
        kept_id=coats.kept.pk,
        by=by,
        now=NOW,
    )
    assert (pair.decision, pair.decided_by, pair.decided_at) == (decision, by, NOW)
    on_sale = set(Product.objects.active().values_list("item_id", flat=True))
    assert on_sale == ({"coat", "old-coat"} if decision == "distinct" else {"coat"})
    assert not DuplicatePair.objects.to_decide().exists()
    with pytest.raises(DecisionRefusedError, match="Somebody decided about this pair already"):
        decide_pair(
            pair_id=pair.pk,
            decision=DuplicatePair.Decision.HIDDEN,
            kept_id=coats.kept.pk,
            by=by,
            now=NOW,
        )
    take_back(pair_id=pair.pk, by=by, now=NOW + timedelta(hours=1))
    assert list(DuplicatePair.objects.to_decide()) == [coats.pair]
    assert everything()[0] == before
    with pytest.raises(DecisionRefusedError, match="in the queue already"):
        take_back(pair_id=pair.pk, by=by, now=NOW)
