"""A shopper's page, their data as a file, and their erasure without a trace of the name."""

import json
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from embeddings.models import PhotoSearch
from fashrec_site.personal_data import erasure
from fashrec_site.personal_data.rows import rows_about
from recommender.experiments.models import Arm, Experiment, Exposure
from recommender.models import RankingProfile, RecommendationLog
from shoppers.models import AnonymousSession, Event, ProductPopularity, Purchase, Shopper
from tests.factories import BackboneFactory, PhotoSearchFactory
from tests.fashrec_site.workplace.world import staff
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
NAME = "ann-of-green-gables"
AT = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def ann() -> Shopper:
    """A shopper of whom everything is kept that can be; another one bought the same."""
    world = make_world()
    for i in range(6):
        world.add(f"item-{i}", (1, i / 4, 1), popularity=10 * i)
    world.shopper("item-0", external_id="bea")
    ann = world.shopper("item-0", "item-3", external_id=NAME, latitude=48.9, longitude=2.4)
    ann.user = User.objects.create_user("ann.shirley", email="ann@shop.example", password="x")
    ann.save()
    profile = RankingProfile.objects.create(name="shop", is_default=True)
    session = AnonymousSession.objects.create(token_sha256="a" * 64, shopper=ann, merged_at=AT)
    product = world.products["item-1"]
    for index, who in enumerate(({"shopper": ann}, {"shopper": ann, "session": session})):
        Event.objects.create(product=product, kind="view", occurred_at=AT, key=str(index), **who)
    arm = Arm.objects.create(experiment=Experiment.objects.create(name="e"), profile=profile)
    Exposure.objects.create(recommendation_id=uuid4(), arm=arm, shopper=ann, exposed_at=AT)
    RecommendationLog.objects.create(shopper=ann, tier="PERSONAL", settings={}, items=[])
    PhotoSearchFactory(asker=f"user:{ann.user.pk}", backbone=BackboneFactory())
    return ann


def page_of(shopper: Shopper, leaf: str = "change") -> str:
    return f"/admin/shoppers/shopper/{shopper.pk}/{leaf}/"


def tables_with(text: str) -> list[str]:
    """The tables in which any row says this."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{text}%"])  # noqa: S608
            found += [table] * cursor.fetchone()[0]
        return found


def test_the_page_shows_terms_that_add_up_and_leaves_no_recommendation_behind(admin_client, ann):
    before = RecommendationLog.objects.count()
    page = admin_client.get(page_of(ann)).content.decode()
    assert RecommendationLog.objects.count() == before
    sums = re.findall(r'<p class="sum">(.*?)</p>', page, re.DOTALL)
    assert len(sums) == 4  # of six products two were bought
    for text in sums:
        *terms, relevance = (float(n) for n in re.findall(r"<b[^>]*>(-?[\d.]+)</b>", text))
        assert len(terms) >= 2
        assert sum(terms) == pytest.approx(relevance, abs=0.0005 * (len(terms) + 1))
    assert "January 2025" in page
    assert page.index("2 Jan") < page.index("1 Jan")  # newest first


def test_the_export_has_every_row_about_the_shopper_and_is_logged(admin_client, ann):
    data = json.loads(admin_client.post(page_of(ann, "export")).content)
    for rows in rows_about(ann):
        assert len(data[str(rows.model._meta.verbose_name_plural)]) == rows.count() > 0
    assert [row["product"] for row in data["purchases"]] == ["item-0", "item-3"]
    assert data["account"]["email"] == "ann@shop.example"
    assert "password" not in data["account"]
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(ann.pk), "Exported their data.")


def test_whoever_may_only_look_neither_exports_nor_erases(client, ann):
    client.force_login(staff("viewer", groups=("analyst",)))
    assert NAME in client.get(page_of(ann)).content.decode()
    assert client.post(page_of(ann, "export")).status_code == 403
    assert client.post(page_of(ann, "delete"), {"confirmed_name": NAME}).status_code == 403
    assert Shopper.objects.filter(pk=ann.pk).exists()


def test_an_erasure_asks_for_the_name(admin_client, ann):
    page = admin_client.get(page_of(ann, "delete")).content.decode()
    assert "<b>2</b> purchases" in page
    answer = admin_client.post(page_of(ann, "delete"), {"confirmed_name": "anne", "post": "yes"})
    assert f"Type {NAME} to confirm; got “anne”." in answer.content.decode()
    assert Shopper.objects.filter(pk=ann.pk).exists()


def test_an_operator_erases_a_shopper_and_no_name_is_left_anywhere(client, ann):
    own = Client()
    own.force_login(ann.user)
    client.force_login(staff("olga", groups=("operator",)))
    form = {"external_id": NAME, "gender": "WOMEN", "trendiness": ".4", "user": ann.user.pk}
    assert client.post(page_of(ann), form).status_code == 302  # the log says the name
    assert tables_with(NAME) == ["django_admin_log", "shoppers_shopper"]
    answer = client.post(page_of(ann, "delete"), {"confirmed_name": NAME})
    assert answer.status_code == 302
    assert [tables_with(text) for text in (NAME, "ann.shirley", "ann@shop.example")] == [[]] * 3
    assert [rows.count() for rows in rows_about(ann)] == [0] * len([*rows_about(ann)])
    assert not PhotoSearch.objects.exists()
    assert Session.objects.count() == 1  # the operator's
    counted = ProductPopularity.objects.filter(counted__gt=0).values_list("counted", flat=True)
    assert list(counted) == [1]  # bea's
    entry = LogEntry.objects.first()
    assert (entry.user.username, entry.object_repr) == ("olga", f"shopper {ann.pk}")
    assert "2 purchases" in entry.change_message


def test_an_erasure_that_breaks_off_leaves_everything(admin_client, ann, monkeypatch):
    def fail(*args):
        raise RuntimeError("killed")

    monkeypatch.setattr(erasure, "_log", fail)
    before = [rows.count() for rows in rows_about(ann)]
    with pytest.raises(RuntimeError, match="killed"):
        admin_client.post(page_of(ann, "delete"), {"confirmed_name": NAME})
    assert [rows.count() for rows in rows_about(ann)] == before
    assert User.objects.filter(username="ann.shirley").exists()


def test_several_are_erased_at_once_after_a_question(admin_client, ann):
    bea = Shopper.objects.get(external_id="bea")
    data = {"action": "delete_selected", "_selected_action": [ann.pk, bea.pk], "index": "0"}
    assert (
        "purchases: 3"
        in admin_client.post("/admin/shoppers/shopper/", data).content.decode().lower()
    )
    assert Shopper.objects.count() == 2
    admin_client.post("/admin/shoppers/shopper/", data | {"post": "yes"})
    assert not Shopper.objects.exists() and not Purchase.objects.exists()
    assert tables_with(NAME) == []


def test_staff_keep_their_login(admin_client, ann):
    User.objects.filter(pk=ann.user.pk).update(is_staff=True)
    admin_client.post(page_of(ann, "delete"), {"confirmed_name": NAME})
    assert User.objects.filter(username="ann.shirley").exists()
    assert not Shopper.objects.filter(external_id=NAME).exists()
