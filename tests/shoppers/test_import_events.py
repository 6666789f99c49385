"""Events of the past come in from a file: once, exactly, and with every refusal explained."""

import random
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from shoppers.csv_file import BadLinesError
from shoppers.event_import import import_events
from shoppers.events import EventsRefused, NewEvent, record_events
from shoppers.models import AnonymousSession, Event, ProductPopularity, Purchase, Shopper
from shoppers.services import import_purchases, rebuild_popularity
from shoppers.sessions import hashed, merge_session
from tests.factories import ProductFactory, ShopperFactory

pytestmark = pytest.mark.django_db

TOKEN = "a token of somebody"
HEADER = "kind,item_id,timestamp,shopper,session,key,recommendation_id"


@pytest.fixture(autouse=True)
def products():
    return [ProductFactory(item_id=name, gender="MEN") for name in ("shirt", "hat")]


@pytest.fixture
def write(tmp_path):
    def write_lines(*lines, header=HEADER):
        path = tmp_path / "events.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write_lines


def counted(item_id="shirt"):
    return ProductPopularity.objects.get(product__item_id=item_id).counted


def test_events_purchases_returns_and_sessions_come_in(write):
    path = write(
        "view,shirt,2025-03-01T10:00:00Z,,a token of somebody,k1,",
        "Purchase,shirt,2025-03-01T11:00:00Z,ann,,k2,00000000-0000-4000-8000-000000000001",
        "purchase,hat,2025-03-01T11:00:00Z,ann,,k3,",
        "return,hat,2025-03-02T11:00:00+02:00,ann,,k4,",
    )
    report = import_events(path=path)
    assert (report.n_added, report.n_already_there, report.n_new_shoppers) == (4, 0, 1)
    assert [e.kind for e in Event.objects.all()] == ["view", "purchase", "purchase", "return"]
    assert AnonymousSession.objects.get().token_sha256 == hashed(TOKEN)
    assert Shopper.objects.get().gender == "MEN"
    assert Purchase.objects.get().product.item_id == "shirt"
    assert (counted("shirt"), counted("hat")) == (1, 0)
    back = Event.objects.get(kind="return")
    assert back.returned_purchase_at == datetime(2025, 3, 1, 11, tzinfo=UTC)
    assert rebuild_popularity() == 0


def test_importing_again_changes_nothing_with_or_without_keys(write):
    lines = ["view,shirt,2025-03-01", "purchase,hat,2025-03-01", "return,hat,2025-03-02"]
    path = write(*[f"{line},ann" for line in lines], header="kind,item_id,timestamp,shopper")
    assert import_events(path=path).n_added == 3
    again = import_events(path=path)
    assert (again.n_added, again.n_already_there, again.n_new_shoppers) == (0, 3, 0)
    assert (Event.objects.count(), Purchase.objects.count(), counted("hat")) == (3, 0, 0)


def test_a_returned_purchase_does_not_come_back_with_its_file(write, tmp_path):
    purchases = tmp_path / "purchases.csv"
    purchases.write_text("shopper,item_id,timestamp\nann,shirt,2025-03-01\n")
    import_purchases(path=purchases)
    import_events(path=write("return,shirt,2025-03-05,ann,,r,"))
    assert import_purchases(path=purchases).n_added == 0
    assert counted() == 0


def test_every_bad_line_is_named_and_nothing_is_imported(write):
    path = write(
        "view,shirt,2025-03-01,ann,,good,",
        "look,shirt,2025-03-01,ann,,b,",
        "view,shirt,yesterday,ann,,c,",
        "view,shirt,2999-01-01,ann,,d,",
        "view,shirt,2025-03-01,,,e,",
        "view,shirt,2025-03-01,ann,a token of somebody,f,",
        "purchase,shirt,2025-03-01,,a token of somebody,g,",
        "view,coat,2025-03-01,ann,,h,",
        "view,shirt,2025-03-01,ann,,i,no-uuid",
        "view,shirt,2025-03-01,ann",
        f"view,shirt,2025-03-01,ann,,{'x' * 101},",
        "view,shirt,2025-03-01,,short,j,",
    )
    with pytest.raises(BadLinesError) as refused:
        import_events(path=path)
    assert [str(row) for row in refused.value.bad_rows] == [
        "line 3: kind 'look' is none of view, favourite, unfavourite, cart, purchase, return, "
        "dismissal",
        "line 4: timestamp 'yesterday' is not ISO 8601, such as 2025-03-01T12:30:00Z",
        "line 5: timestamp '2999-01-01' is before 1970, or still to come",
        "line 6: expected a shopper or a session, and not both",
        "line 7: expected a shopper or a session, and not both",
        "line 8: a purchase needs a shopper",
        "line 9: unknown item_id 'coat'; import its product first",
        "line 10: recommendation_id 'no-uuid' is no UUID",
        "line 11: 4 cells, expected 7",
        "line 12: key is longer than 100 characters or has a NUL",
        "line 13: a session token has 16 to 200 characters, such as those of a random UUID; got 5",
    ]
    assert not Event.objects.exists()


def test_lines_that_contradict_what_is_there_are_bad_and_can_be_skipped(write):
    import_events(path=write("view,shirt,2024-12-01,,a token of somebody,old,"))
    merge_session(token=TOKEN, shopper=ShopperFactory(), now=datetime(2025, 1, 1, tzinfo=UTC))
    import_events(path=write("view,shirt,2025-03-01,ann,,k,"))
    path = write(
        "cart,shirt,2025-03-01,ann,,k,",
        "view,shirt,2025-03-01,,a token of somebody,late,",
        "return,shirt,2025-03-01,ann,,r,",
        "cart,hat,2025-03-01,ann,,twice,",
        "view,hat,2025-03-01,ann,,twice,",
        "cart,hat,2025-03-01,ann,,twice,",
    )
    with pytest.raises(BadLinesError):
        import_events(path=path)
    assert Event.objects.count() == 2
    report = import_events(path=path, on_error="skip")
    assert (report.n_added, report.n_already_there) == (1, 1)
    assert [str(row) for row in report.bad_rows] == [
        "line 2: its key is the key of another event",
        "line 3: its session ended when its shopper logged in; name the shopper instead",
        "line 4: no purchase of this product to take back",
        "line 6: its key is the key of another event",
    ]


def test_a_file_and_the_same_calls_come_to_the_same_rows(write):
    """Random purchases and returns, many of them hopeless: the slow path is the oracle."""
    rng = random.Random(5)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    events = [
        NewEvent(
            kind=Event.Kind(rng.choice(["purchase", "return", "view"])),
            item_id=rng.choice(["shirt", "hat"]),
            key=str(n),
            occurred_at=start + timedelta(minutes=rng.randrange(60)),
            shopper=rng.choice(["ann", "bea"]),
        )
        for n in range(120)
    ]
    lines = [
        f"{e.kind},{e.item_id},{e.occurred_at.isoformat()},{e.shopper},,{e.key},"
        for e in sorted(events, key=lambda e: (e.occurred_at, e.kind == "return"))
    ]
    report = import_events(path=write(*lines), on_error="skip")
    assert report.bad_rows
    by_file = snapshot()
    Event.objects.all().delete()
    Purchase.objects.all().delete()
    hopeless = {row.line for row in report.bad_rows}
    good = {line.split(",")[5] for n, line in enumerate(lines, 2) if n not in hopeless}
    kept = [e for e in events if e.key in good]
    with pytest.raises(EventsRefused):
        record_events(events=[e for e in events if e.kind == "return"][:100], now=start)
    record_events(events=[e for e in kept if e.kind != "return"], now=start + timedelta(1))
    record_events(events=[e for e in kept if e.kind == "return"], now=start + timedelta(1))
    assert snapshot() == by_file
    assert rebuild_popularity() == 0


def snapshot():
    purchases = Purchase.objects.values_list("shopper__external_id", "product", "purchased_at")
    events = Event.objects.values_list("key", "returned_purchase_at", "occurred_at")
    return sorted(purchases), sorted(events, key=str), counted("shirt"), counted("hat")


def test_the_command_says_what_came_of_it(write):
    out, err = StringIO(), StringIO()
    path = write("view,shirt,2025-03-01,ann,,k,", "view,coat,2025-03-01,ann,,l,")
    with pytest.raises(CommandError, match="Nothing was imported because of 1 bad lines"):
        call_command("import_events", path, stdout=out, stderr=err)
    assert "line 3: unknown item_id 'coat'" in err.getvalue()
    with pytest.raises(CommandError, match="Left out 1 bad lines") as partly:
        call_command("import_events", path, on_error="skip", stdout=out, stderr=err)
    assert partly.value.returncode == 2
    assert out.getvalue().startswith("Imported 1 events and 1 new shoppers in")
