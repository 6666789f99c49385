"""The first page: numbers that equal their lists, few queries, and workers that may be away."""

import re
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Category
from embeddings.models import Embedding
from recommender.models import EvaluationRun, RankingProfile, RecommendationLog
from tests.factories import CategoryFactory, EmbeddingFactory, ProductFactory, ProductImageFactory
from tests.fashrec_site.workplace.world import staff
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Three embedded products, one photo that failed, one product without any photo."""
    world = make_world()
    for i in range(3):
        world.add(f"item-{i}", (1, i, 1), popularity=i)
    RankingProfile.objects.create(name="shop", is_default=True)
    failed = {"state": "failed", "error": "cannot be decoded", "vector": None}
    EmbeddingFactory(backbone=world.backbone, **failed)
    ProductFactory(category=CategoryFactory(name="Capes", group__name="Capes"))
    shopper = world.shopper("item-0")
    items = [{"product": world.products["item-1"].pk}, {"product": world.products["item-2"].pk}]
    for chosen in (items, items[:1], []):
        RecommendationLog.objects.create(
            shopper=shopper, tier="PERSONAL", settings={}, items=chosen
        )
    return world


def tiles(client) -> dict[str, tuple[str, str]]:
    """By title, the number and where it leads."""
    page = client.get("/admin/").content.decode()
    found = re.findall(
        r'href="([^"]+)"><span class="title">(.*?)</span><b>(.*?)</b>', page, re.DOTALL
    )
    return {title: (value, url.replace("&amp;", "&")) for url, title, value in found}


def test_each_number_is_that_of_the_list_behind_it(admin_client, world):
    shown = tiles(admin_client)
    assert {title: value for title, (value, _) in shown.items()} == {
        "Products on sale": "5",
        "Without a current embedding": "2",
        "Failed photos": "1",
        "Categories without a group": "1",
        "Products recommended": "40%",
    }
    for title in ("Products on sale", "Failed photos", "Categories without a group"):
        value, url = shown[title]
        assert admin_client.get(url).context["cl"].result_count == int(value)
    page = admin_client.get(shown["Without a current embedding"][1])
    assert page.context["page"].paginator.count == 2
    page = admin_client.get("/admin/today/without-photo/")
    assert [product.category.name for product in page.context["page"]] == ["Capes"]


def test_what_is_wrong_is_named_and_nothing_else(admin_client, client, world):
    page = admin_client.get("/admin/").content.decode()
    assert "1 photo could not be embedded." in page
    assert "1 product on sale without a photo." in page
    assert "webhooks" not in page
    Embedding.objects.filter(state="failed").delete()
    dresses = Category.objects.get(name="Dresses")
    Category.objects.filter(name="Capes").update(group=dresses.group)
    ProductImageFactory(product=Category.objects.get(name="Capes").products.get())
    cache.clear()
    page = admin_client.get("/admin/").content.decode()
    assert "could not be embedded" not in page and "without a photo" not in page
    assert "in no group" not in page


def test_the_page_costs_twelve_queries_at_most_whatever_there_is(client, world):
    client.force_login(staff("carla", groups=("curator",)))
    n_queries = []
    for turn in range(2):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/admin/").status_code == 200
        n_queries.append(len(queries))
        for i in range(10):
            world.add(f"more-{turn}-{i}", (1, i, 2), popularity=i)
        EvaluationRun.objects.create(settings={}, finished_at=datetime.now(UTC), results={})
    assert n_queries[0] == n_queries[1] <= 12, [query["sql"][:90] for query in queries]


def test_who_sees_no_products_gets_a_page_all_the_same(client):
    client.force_login(staff("nobody"))
    page = client.get("/admin/")
    assert page.status_code == 200
    assert client.get("/admin/today/without-photo/").status_code == 403


def test_queues_without_a_worker_say_how_to_start_one(admin_client):
    page = admin_client.get("/admin/today/workers/").content.decode()
    assert page.count("none answers") == 2
    assert "No worker serves celery and photo_search" in page
    assert "manage.py run_workers" in page


def test_a_redis_that_is_away_is_an_answer(admin_client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    page = admin_client.get("/admin/today/workers/").content.decode()
    assert "Redis does not answer" in page
