"""The queries of a product page and of what is rising, over GraphQL."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.factories import PurchaseFactory
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
RECOMMENDED = """
query ($itemId: String!, $intent: RecommendationIntent!, $first: Int, $after: String) {
  productRecommendations(itemId: $itemId, intent: $intent, first: $first, after: $after) {
    edges { node { itemId } score reason terms { visual popularity category } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
TRENDING = """
query ($window: TrendWindow!, $halfLifeDays: Float, $gender: [Gender!], $first: Int) {
  trending(window: $window, halfLifeDays: $halfLifeDays, gender: $gender, first: $first) {
    edges { node { itemId } rise nRecent nBefore } pageInfo { hasNextPage }
  }
}
"""


@pytest.fixture
def world():
    world = make_world()
    world.add("seen", (1, 0, 0), category="Dresses", popularity=5)
    world.add("twin", (1, 0.1, 0), category="Dresses", popularity=10)
    world.add("other", (0, 1, 0), category="Dresses", popularity=0)
    world.add("jeans", (0, 0, 1), category="Jeans", popularity=5)
    world.add("his", (1, 0, 0), category="Dresses", gender="MEN")
    for days, item_id in ((0, "other"), (1, "other"), (0, "jeans"), (8, "twin")):
        at = timezone.now() - timedelta(days=days)
        PurchaseFactory(product=world.products[item_id], purchased_at=at)
    return world


def recommended(ask, intent: str, **variables) -> list[dict]:
    answer = ask(RECOMMENDED, itemId="seen", intent=intent, **variables)
    assert "errors" not in answer, answer
    return answer["data"]["productRecommendations"]["edges"]


def test_related_is_the_default_profiles_relevance(ask, world):
    edges = recommended(ask, "RELATED", first=3)
    assert [edge["node"]["itemId"] for edge in edges] == ["twin", "jeans", "other"]
    for edge in edges:
        assert edge["score"] == pytest.approx(sum(edge["terms"].values()))
    assert edges[0]["terms"]["visual"] == pytest.approx(0.7 * 1 / 1.01**0.5, abs=1e-3)
    assert edges[0]["reason"].startswith("It looks alike: 0.70 of a relevance of")


def test_visual_is_what_similar_products_says(ask, world):
    edges = recommended(ask, "VISUAL")
    similar = ask('{ similarProducts(itemId: "seen") { edges { node { itemId } value } } }')
    assert [(e["node"]["itemId"], e["score"]) for e in edges] == [
        (e["node"]["itemId"], e["value"]) for e in similar["data"]["similarProducts"]["edges"]
    ]
    assert edges[0]["node"]["itemId"] == "twin"


def test_trending_stays_in_the_category(ask, world):
    edges = recommended(ask, "TRENDING")
    assert [edge["node"]["itemId"] for edge in edges] == ["other", "twin"]
    assert edges[0]["reason"] == "Bought twice in 30 days, never in the 30 days before."
    assert edges[0]["score"] == pytest.approx(1 + 0.5 ** (1 / 7), abs=1e-3)


def test_complementary_leaves_the_group(ask, world):
    (edge,) = recommended(ask, "COMPLEMENTARY")
    assert edge["node"]["itemId"] == "jeans"
    assert edge["reason"] == "Another kind, in a colour that goes with it."


@pytest.mark.parametrize("intent", ["RELATED", "COMPLEMENTARY", "VISUAL", "TRENDING"])
def test_nobody_and_nothing_breaks_no_intent(ask, world, intent):
    unknown = ask(RECOMMENDED, itemId="nothing", intent=intent)
    assert unknown["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    world.backbone.delete()
    recommended(ask, intent)


def test_a_ranking_goes_on_after_its_cursor_until_its_hundredth_row(ask, world):
    first = ask(RECOMMENDED, itemId="seen", intent="RELATED", first=2)["data"]
    page = first["productRecommendations"]["pageInfo"]
    assert page["hasNextPage"]
    rest = recommended(ask, "RELATED", first=100, after=page["endCursor"])
    assert [edge["node"]["itemId"] for edge in rest] == ["other"]


def test_trending_compares_two_windows(ask, world):
    answer = ask(TRENDING, window="WEEK")["data"]["trending"]["edges"]
    assert [(e["node"]["itemId"], e["nRecent"], e["nBefore"]) for e in answer] == [
        ("other", 2, 0),
        ("jeans", 1, 0),
    ]
    assert answer[0]["rise"] == pytest.approx(1 + 0.5 ** (1 / 3.5), abs=1e-3)
    month = ask(TRENDING, window="MONTH", first=1)["data"]["trending"]
    assert month["pageInfo"]["hasNextPage"]
    assert ask(TRENDING, window="DAY", gender=["MEN"])["data"]["trending"]["edges"] == []


def test_a_half_life_that_is_none_is_bad_input(ask, world):
    (error,) = ask(TRENDING, window="WEEK", halfLifeDays=0)["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "halfLifeDays must be from 0.1" in error["message"]


def test_trending_is_counted_once_a_minute(ask, world):
    before = ask(TRENDING, window="WEEK")["data"]
    PurchaseFactory(product=world.products["his"], purchased_at=timezone.now())
    assert ask(TRENDING, window="WEEK")["data"] == before
    cache.clear()
    assert ask(TRENDING, window="WEEK")["data"] != before
