"""The review queue: looked at by analysts, decided by curators, by mouse and by key."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from embeddings.duplicates.models import DuplicatePair
from embeddings.duplicates.services import find_duplicates
from fashrec_site.workplace.duplicates import views
from tests.embeddings.duplicates.test_fingerprints import shirt
from tests.embeddings.duplicates.worlds import add_product, shirts
from tests.factories import BackboneFactory
from tests.fashrec_site.merging.worlds import NOW, two_coats
from tests.fashrec_site.workplace.world import staff

pytestmark = pytest.mark.django_db
QUEUE = "/admin/duplicates/"


def post(client, coats, decision, keep=None):
    data = {"decision": decision, "keep": keep or coats.kept.pk}
    return client.post(f"{QUEUE}{coats.pair.pk}/decide/", data, follow=True).content.decode()


def decision_of(coats) -> str:
    coats.pair.refresh_from_db()
    return coats.pair.decision


def test_a_curator_merges_looks_it_up_and_takes_it_back(client):
    coats = two_coats()
    client.force_login(staff("cora", groups=("curator",)))
    page = client.get(QUEUE).content.decode()
    assert page.count("old-coat") > 1 and "4 of 256 bits differ" in page
    assert "Merged: old-coat is coat from now on." in post(client, coats, "merged")
    decided = client.get(f"{QUEUE}decisions/").content.decode()
    assert "by cora" in decided and "old-coat, merged" in decided.replace("<span", " <span")
    page = client.post(f"{QUEUE}{coats.pair.pk}/undo/", follow=True).content.decode()
    assert "Taken apart: 1 purchases and 1 events went back." in page
    assert "Is this one article?" in page


def test_the_other_one_may_be_kept_or_hidden(client):
    coats = two_coats()
    client.force_login(staff("cora", groups=("curator",)))
    assert "coat is off sale; old-coat stays." in post(client, coats, "hidden", coats.other.pk)
    assert list(Product.objects.active()) == [coats.other]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"decision": "merged"}, "Choose which of the two to keep."),
        ({"decision": "open", "keep": "1"}, "Choose merge, not a duplicate, or hide."),
        ({"decision": "merged", "keep": "9" * 30}, "Choose which of the two to keep."),
        ({}, "Choose merge, not a duplicate, or hide."),
    ],
)
def test_what_is_no_decision_is_refused(admin_client, data, reason):
    coats = two_coats()
    page = admin_client.post(f"{QUEUE}{coats.pair.pk}/decide/", data, follow=True)
    assert reason in page.content.decode()
    assert decision_of(coats) == "open"


def test_an_analyst_looks_and_decides_nothing(client):
    coats = two_coats()
    client.force_login(staff("anna", groups=("analyst",)))
    page = client.get(QUEUE)
    assert page.status_code == 200 and 'name="decision"' not in page.content.decode()
    for what in (f"{coats.pair.pk}/decide/", f"{coats.pair.pk}/undo/", "search/"):
        assert client.post(QUEUE + what, {"decision": "merged"}).status_code == 403
    assert decision_of(coats) == "open"
    client.force_login(staff("nobody"))
    assert client.get(QUEUE).status_code == 403


def test_the_page_has_a_worker_compare_what_is_new(admin_client, monkeypatch):
    shirts()
    assert "Compare 3 now" in admin_client.get(QUEUE).content.decode()
    asked = []
    monkeypatch.setattr(views, "enqueue", lambda task: asked.append(task.name) or True)
    admin_client.post(f"{QUEUE}search/")
    assert asked == ["embeddings.duplicates.tasks.find_duplicates"]
    find_duplicates(now=NOW)
    page = admin_client.get(f"{QUEUE}progress/").content.decode()
    assert "3 of 3 products" in page and "<b>1</b> pair to decide" in page
    assert "Compare" not in page


def test_the_first_page_counts_open_pairs(admin_client):
    coats = two_coats()
    assert "1 pair of products may be one article." in admin_client.get("/admin/").content.decode()
    DuplicatePair.objects.filter(pk=coats.pair.pk).update(decision="distinct", decided_at=NOW)
    cache.clear()
    assert "may be one article" not in admin_client.get("/admin/").content.decode()


def test_the_pages_cost_the_same_queries_whatever_their_length(admin_client):
    backbone = BackboneFactory()
    counts = []
    for n in (2, 5):
        for number in range(n):
            add_product(backbone, f"shirt-{n}-{number}", shirt(), [1, 0, 0])
        find_duplicates(now=NOW)
        pair = DuplicatePair.objects.filter(decision="open").last()
        DuplicatePair.objects.filter(pk=pair.pk).update(decision="distinct", decided_at=NOW)
        if n == 2:
            add_product(backbone, "shirt", shirt(), [1, 0, 0])
            find_duplicates(now=NOW)
        for page in (QUEUE, f"{QUEUE}decisions/"):
            with CaptureQueriesContext(connection) as queries:
                assert admin_client.get(page).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 12, "\n".join(query["sql"][:150] for query in queries)


@pytest.mark.django_db(transaction=True)
def test_pairs_are_decided_by_keys(desk):
    script = "<script>document.title = 'run'</script>"
    backbone = shirts()
    add_product(backbone, "third", shirt().resize((90, 120)), [0, 0, 1], title=script)
    find_duplicates(now=NOW)
    desk.open(QUEUE)
    desk.page.wait_for_selector("text=3 open")
    desk.check()
    desk.page.keyboard.press("ArrowRight")
    kept = desk.page.locator("[name=keep]").nth(1)
    assert kept.is_checked()
    desk.page.keyboard.press("n")
    desk.page.wait_for_selector("text=Remembered:")
    desk.page.keyboard.press("m")
    desk.page.wait_for_selector("text=Merged:")
    desk.page.wait_for_selector("text=No pair waits")
    desk.open(f"{QUEUE}decisions/")
    desk.check()
    desk.page.click("text=Take back >> nth=0")
    desk.page.wait_for_selector("text=Taken apart:")
    desk.open(desk.page.url.removeprefix(desk.url), "telephone")
    desk.check()
    desk.page.keyboard.press("h")
    desk.page.wait_for_selector("text=is off sale;")
    desk.open(f"{QUEUE}decisions/", "telephone")
    desk.check()
    assert desk.page.title() != "run"
    decisions = DuplicatePair.objects.values_list("decision", flat=True)
    assert sorted(decisions) == ["distinct", "hidden", "open"]
