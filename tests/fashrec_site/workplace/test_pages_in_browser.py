"""Shoppers, the first page, evaluations and stores in a real browser, at both widths."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry

from catalog.models import Category, Product, Stock, Store
from fashrec_site.evaluations.models import EvaluationJob
from fashrec_site.evaluations.services import run_evaluation
from recommender.models import EvaluationRun, RankingProfile
from shoppers.models import Shopper
from tests.recommender.evaluation.shops import hand_placed_shop

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = "<script>document.title = 'run'</script><img src=x onerror=alert(1)>"
LIST = "/admin/recommender/evaluationrun/"


@pytest.fixture
def shop(own_home) -> Shopper:
    """A small shop whose names are scripts, and one of its shoppers."""
    hand_placed_shop()
    Product.objects.update(title=SCRIPT)
    Category.objects.filter(name="Pants").update(name=SCRIPT)
    RankingProfile.objects.create(name=SCRIPT, is_default=True)
    store = Store.objects.create(name=SCRIPT, latitude=48.2, longitude=16.4)
    Stock.objects.bulk_create(Stock(product=p, store=store) for p in Product.objects.all())
    Shopper.objects.update(latitude=47.1, longitude=15.4)
    return Shopper.objects.get(external_id="ann")


def test_every_page_fits_its_window_and_is_accessible_and_runs_no_script(desk, shop):
    row = {"backbone": "hand", "popularity_mae": 3.0, "popularity_mae_interval": [2, 4]}
    results = {"tables": {"backbones": [row]}}
    now = datetime.now(UTC)
    a, b = (
        EvaluationRun.objects.create(settings={"k": k}, results=results, finished_at=now)
        for k in (3, 5)
    )
    pages = (
        "/admin/",
        f"/admin/shoppers/shopper/{shop.pk}/change/",
        f"/admin/shoppers/shopper/{shop.pk}/delete/",
        f"{LIST}compare/?a={a.pk}&b={b.pk}",
        "/admin/catalog/store/",
    )
    made_by_the_theme = ("/admin/catalog/stock/", "/admin/catalog/stock/import/")
    for window, opened in (("desk", (*pages, *made_by_the_theme)), ("telephone", pages)):
        for page in opened:
            desk.open(page, window)
            assert desk.page.title() != "run"
            desk.check()


def test_a_shopper_is_erased_once_the_name_is_typed(desk, shop):
    desk.open("/admin/shoppers/shopper/")
    desk.page.click("text=ann")
    desk.page.wait_for_selector(".timeline")
    assert desk.page.locator(".timeline ul li").count() == 3
    assert desk.page.locator(".explained > li").count() > 3
    with desk.page.expect_download() as download:
        desk.page.click("text=Export their data")
    assert download.value.suggested_filename == f"shopper-{shop.pk}.json"
    desk.page.click("text=Erase")
    desk.page.fill("[name=confirmed_name]", "bea")
    desk.page.click("text=Erase for good >> nth=-1")
    assert "Type ann to confirm" in desk.page.inner_text("[role=alert]")
    desk.page.fill("[name=confirmed_name]", "ann")
    desk.page.click("text=Erase for good >> nth=-1")
    desk.page.wait_for_url("**/admin/shoppers/shopper/")
    assert not Shopper.objects.filter(pk=shop.pk).exists()
    assert LogEntry.objects.latest("pk").object_repr == f"shopper {shop.pk}"
    desk.check()


def test_an_evaluation_is_started_watched_and_read(desk, shop):
    desk.open(LIST)
    desk.page.fill("[name=k]", "2")
    desk.page.click("text=Start an evaluation")
    desk.page.wait_for_selector("text=waits for a worker")
    job = EvaluationJob.objects.get()
    EvaluationJob.objects.filter(pk=job.pk).update(
        state="running", stage="Ranking", n_done=3, n_steps=9, alive_at=job.asked_at
    )
    desk.page.wait_for_selector("progress[value='3'][max='9']")
    EvaluationJob.objects.filter(pk=job.pk).update(state="waiting")
    run_evaluation(job_id=job.pk)
    desk.page.click("text=its report")
    desk.page.wait_for_selector(".report table")
    desk.page.wait_for_load_state("networkidle")
    for picture in desk.page.locator(".report img").all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("async image => (await image.decode(), image.naturalWidth)") > 0
    desk.check()


def test_a_map_shows_its_land(desk, shop):
    desk.open("/admin/catalog/store/")
    box = desk.page.locator(".map .land").bounding_box()
    assert box["width"] > 1_000  # of the whole world, most of it outside the frame
    desk.page.locator(".map a").focus()
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url("**/change/")
    desk.check()
