"""The pages that the workplace's benchmark asks for."""

import pytest
from django.contrib.auth.models import User

from benchmarks.workplace.pages import list_pages, own_pages
from tests.fashrec_site.workplace.world import one_of_each

pytestmark = pytest.mark.django_db


def test_a_list_is_asked_for_in_each_way_that_its_page_offers(client):
    one_of_each()
    user = User.objects.create_superuser("root")
    client.force_login(user)
    views = {}
    for page in list_pages(user, "shoppers.p"):
        assert client.get(page.path).status_code == 200, page.path
        views.setdefault(page.model, set()).add(page.view)
    assert views["shoppers.purchase"] == {
        "first",
        "search",
        "search in vain",
        "filter is_simulated__exact=1",
        "filter is_simulated__exact=0",
        "order by shopper",
        "order by product",
        "order by purchased_at",
        "order by is_simulated",
    }
    assert "order by popularity" in views["shoppers.productpopularity"]


def test_lists_by_ranges_and_own_pages_answer_too(client):
    one_of_each()
    user = User.objects.create_superuser("root")
    client.force_login(user)
    products = {page.view: page for page in list_pages(user, "catalog.product")}
    by_range = products["filter popularity__popularity_from=20&popularity__popularity_to=40"]
    assert client.get(by_range.path).status_code == 200
    assert {page.name for page in own_pages()} >= {"index", "similarity", "a product"}
