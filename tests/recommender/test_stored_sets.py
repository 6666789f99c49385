"""A set is read again as it was given, page by page, by those who may, for 24 hours."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from strawberry.relay import to_base64

from catalog.models import Product, Store
from recommender.erasure import erase_recommendations
from recommender.experiments.models import Exposure
from recommender.models import RecommendationLog
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from recommender.stored_sets import SetExpired, find_set, read_set
from shoppers.models import ProductPopularity, Purchase
from tests.factories import StockFactory
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
ITEMS = """pageInfo { hasNextPage hasPreviousPage endCursor } totalCount
    edges { cursor relevance reason normalizedPopularity distanceKm store { name }
        terms { visual popularity category proximity visualSimilarity } node { itemId } }"""
SET = f"""id tier profile {{ name visual k backbone }}
    rails {{ proven because {{ kind occurredAt product {{ itemId }} }} items {{ {ITEMS} }} }}
    items(first: $first, after: $after) {{ {ITEMS} }}"""
RECOMMEND = f"""query ($first: Int, $after: String) {{
    recommendations(shopper: "ann", k: 6, diversity: 0.4, near: {{latitude: 48, longitude: 16}}) {{
        {SET} }} }}"""
READ = f"""query ($id: ID!, $first: Int, $after: String) {{
    recommendationSet(id: $id) {{ {SET} }} }}"""
NODE = """query ($id: ID!) { node(id: $id) { id ... on RecommendationSet { tier } } }"""


@pytest.fixture
def ann(client):
    world = make_world()
    for n in range(20):
        world.add(f"item {n}", (1, n / 9, (n % 4) / 5), popularity=n)
    store = Store.objects.create(name="Vienna", latitude=48.2, longitude=16.4)
    StockFactory(product=world.products["item 5"], store=store)
    shopper = world.shopper("item 0", "item 1", latitude=1, longitude=1)
    shopper.user = User.objects.create_user("ann")
    shopper.save()
    client.force_login(shopper.user)
    return shopper


def given(shopper, **changes):
    settings = RankingSettings.from_profile(default_profile()).with_changes(**changes)
    return recommend(shopper=shopper, settings=settings)


def test_it_is_read_as_it_was_given_whatever_was_bought_since(ask, ann):
    answer = ask(RECOMMEND, first=100)["data"]["recommendations"]
    assert len(answer["items"]["edges"]) >= 6
    ProductPopularity.objects.update(base=7)
    bought = Product.objects.get(item_id=answer["items"]["edges"][0]["node"]["itemId"])
    Purchase.objects.create(shopper=ann, product=bought, purchased_at=timezone.now())
    again = ask(READ, id=answer["id"], first=100)["data"]["recommendationSet"]
    assert again == answer
    assert ask(NODE, id=answer["id"])["data"]["node"] == {"id": answer["id"], "tier": "PERSONAL"}
    assert RecommendationLog.objects.count() == 1


def test_pages_follow_each_other_without_ranking_again(ask, ann, django_assert_max_num_queries):
    whole = ask(RECOMMEND, first=100)["data"]["recommendations"]
    wanted = [edge["node"]["itemId"] for edge in whole["items"]["edges"]]
    found, after = [], None
    while True:
        with django_assert_max_num_queries(5):  # session, user, set, products
            page = ask(READ, id=whole["id"], first=4, after=after)["data"]["recommendationSet"]
        found += [edge["node"]["itemId"] for edge in page["items"]["edges"]]
        if not page["items"]["pageInfo"]["hasNextPage"]:
            break
        after = page["items"]["pageInfo"]["endCursor"]
    assert found == wanted


def test_a_cursor_of_another_set_is_refused_and_says_where_to_go_on(ask, ann):
    first = ask(RECOMMEND, first=3)["data"]["recommendations"]
    cursor = first["items"]["pageInfo"]["endCursor"]
    (error,) = ask(RECOMMEND, first=3, after=cursor)["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["message"] == (
        "`after` is a cursor of another set: go on in that one, by `recommendationSet(id:)`."
    )


def test_after_a_day_it_has_expired(ask, ann):
    answer = given(ann)
    now = timezone.now()
    log = find_set(answer.id)
    assert [i.product for i in read_set(log, now=now).items] == [i.product for i in answer.items]
    with pytest.raises(SetExpired):
        read_set(log, now=now + timedelta(hours=24, seconds=1))
    RecommendationLog.objects.update(created_at=now - timedelta(hours=25))
    set_id = to_base64("RecommendationSet", answer.id)
    (error,) = ask(READ, id=set_id)["errors"]
    assert error["extensions"] == {"code": "EXPIRED"}
    assert error["message"] == "This set is older than 24 hours: ask for recommendations anew."
    assert ask(NODE, id=set_id)["data"] == {"node": None}


def test_a_stranger_learns_no_more_than_that_there_is_none(client, ask, ann):
    set_id = to_base64("RecommendationSet", given(ann).id)
    unknown = to_base64("RecommendationSet", "0198c0de-0000-7000-8000-000000000000")
    client.force_login(User.objects.create_user("eve"))
    assert ask(READ, id=set_id) == ask(READ, id=unknown)
    assert ask(READ, id=set_id)["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    assert ask(NODE, id=set_id)["data"] == ask(NODE, id=unknown)["data"] == {"node": None}
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert ask(READ, id=set_id)["data"]["recommendationSet"]["id"] == set_id


@pytest.mark.parametrize(
    "key", ["", "1", "x" * 36, "0198C0DE-0000-7000-8000-000000000000", "0198c0de000070008000000000"]
)
def test_an_id_that_can_be_none_is_refused(ask, ann, key):
    (error,) = ask(READ, id=to_base64("RecommendationSet", key))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert ask(NODE, id=to_base64("RecommendationSet", key))["data"] == {"node": None}
    (error,) = ask(READ, id=to_base64("Product", 1))["errors"]
    assert error["message"] == "`id` must be the id of a RecommendationSet."


def test_what_is_gone_or_retired_since_is_missing(ann):
    answer = given(ann, k=4)
    first, second = answer.items[:2]
    first.product.delete()
    type(second.product).objects.filter(pk=second.product.pk).update(is_active=False)
    again = read_set(find_set(answer.id), now=timezone.now())
    assert [i.product.pk for i in again.items] == [i.product.pk for i in answer.items[2:]]


def test_a_set_that_an_earlier_version_kept_cannot_be_read(ann):
    log = find_set(given(ann).id)
    log.merged = []
    with pytest.raises(SetExpired):
        read_set(log, now=timezone.now())


def test_a_shoppers_sets_are_erased_alone_or_with_the_shopper(ann):
    other = ann.__class__.objects.create(external_id="bea")
    given(ann)
    given(ann)
    kept = given(other)
    assert erase_recommendations(shopper=ann) == 2
    assert list(RecommendationLog.objects.values_list("pk", flat=True)) == [kept.id]
    other.delete()
    assert not RecommendationLog.objects.exists()
    assert not Exposure.objects.exists()
