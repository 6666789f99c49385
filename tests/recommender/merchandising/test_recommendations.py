"""What merchandising rules do to recommendations: the term by hand, pins, and where they hold."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Category, Gender
from catalog.product_filter import ProductFilter
from recommender.merchandising.rules import Pin, Rules
from recommender.merchandising.services import boost, bury, end_rules, pin
from recommender.models import MerchandisingRule, RecommendationLog
from recommender.ranking import RankingSettings, default_profile
from recommender.related import related_by_relevance
from recommender.services import recommend
from recommender.stored_sets import read_set
from shoppers.models import AnonymousSession
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
ANSWER = """{ recommendations(shopper: "ann") {
    rails { items { edges { pinned node { itemId } } } }
    items { edges { pinned relevance reason node { itemId }
        terms { visual popularity category proximity merchandising } } } } }"""


@pytest.fixture
def world():
    """Two bought products of two categories, and five of either that are ever less alike."""
    world = make_world()
    for category in ("Dresses", "Jeans"):
        world.add(f"bought {category}", (1, 0, 0), category=category)
        for n in range(5):
            world.add(f"{category} {n}", (1, 0.3 * (n + 1), 0), category=category)
    world.add("for men", (1, 0, 0), gender=Gender.MEN)
    world.add("retired", (1, 0, 0), is_active=False)
    return world


def settings_with(**changes) -> RankingSettings:
    return RankingSettings.from_profile(default_profile()).with_changes(**{"k": 3, **changes})


def names(items) -> list[str]:
    return [item.product.item_id for item in items]


def category(name: str) -> Category:
    return Category.objects.get(name=name)


def test_a_boost_and_a_bury_by_hand(world):
    shopper = world.shopper("bought Dresses")
    before = recommend(shopper=shopper, settings=settings_with())
    assert names(before.items) == ["bought Jeans", "Dresses 0", "Jeans 0"]
    boost(products=[world.products["Dresses 4"]], amount=0.9)
    bury(products=[world.products["bought Jeans"]], amount=0.25)

    answer = recommend(shopper=shopper, settings=settings_with())

    assert names(answer.items) == ["Dresses 4", "Dresses 0", "Jeans 0"]
    first = answer.items[0]
    assert first.terms.merchandising == 0.9
    assert first.relevance == first.terms.visual + first.terms.popularity + 0.9
    assert first.reason.startswith("Recommended by the shop (merchandising 0.90 of ")
    whole = recommend(shopper=shopper, settings=settings_with(k=20))
    buried = next(item for item in whole.items if item.product.item_id == "bought Jeans")
    assert buried.terms.merchandising == -0.25
    assert buried.relevance == pytest.approx(before.items[0].relevance - 0.25)
    assert not any(item.pinned for item in whole.items)
    assert answer.merchandised == [world.products["Dresses 4"].pk]


def test_a_rule_holds_between_its_dates_only(world):
    shopper = world.shopper("bought Dresses")
    now, day = timezone.now(), timedelta(days=1)
    product = world.products["Dresses 4"]
    pin(product=product, position=1, starts_at=now - 2 * day, ends_at=now - day)
    boost(products=[product], amount=1, starts_at=now + day)
    assert "Dresses 4" not in names(recommend(shopper=shopper, settings=settings_with()).items)
    boost(products=[product], amount=1, starts_at=now - day, ends_at=now + day)
    assert names(recommend(shopper=shopper, settings=settings_with()).items)[0] == "Dresses 4"
    end_rules(rules=MerchandisingRule.objects.all(), now=timezone.now())
    assert "Dresses 4" not in names(recommend(shopper=shopper, settings=settings_with()).items)


def test_a_category_s_rule_holds_beside_what_was_bought_of_it(world):
    shopper = world.shopper("bought Dresses", "bought Jeans")
    bury(products=[world.products["Jeans 4"]], amount=0.5)
    boost(products=[world.products["Jeans 4"]], amount=0.8, category=category("Dresses"))
    jeans, dresses = recommend(shopper=shopper, settings=settings_with(k=10)).rails
    terms = {
        rail.because.product.item_id: item.terms.merchandising
        for rail in (jeans, dresses)
        for item in rail.items
        if item.product.item_id == "Jeans 4"
    }
    assert terms == {"bought Dresses": 0.8, "bought Jeans": -0.5}


def test_pins_have_their_places_and_what_they_took_moves_down(world):
    shopper = world.shopper("bought Dresses")
    pin(product=world.products["Dresses 4"], position=2)
    pin(product=world.products["Jeans 4"], position=60)
    answer = recommend(shopper=shopper, settings=settings_with())
    assert names(answer.items) == ["bought Jeans", "Dresses 4", "Dresses 0", "Jeans 0", "Jeans 4"]
    assert [item.pinned for item in answer.items] == [False, True, False, False, True]
    assert names(answer.rails[0].items) == ["bought Jeans", "Dresses 0", "Jeans 0"]
    placed = answer.items[1]
    assert placed.terms.merchandising == 0
    assert placed.relevance < answer.items[3].relevance
    assert placed.reason.startswith("Placed here by the shop; looks like dresses, which you bought")


def test_pins_of_a_category_are_in_its_rails_and_lists(world):
    shopper = world.shopper("bought Dresses", "bought Jeans")
    pin(product=world.products["Jeans 4"], position=1, category=category("Dresses"))
    pin(product=world.products["Dresses 3"], position=1)
    jeans, dresses = recommend(shopper=shopper, settings=settings_with()).rails
    assert names(dresses.items) == ["Jeans 4", "Dresses 0", "Jeans 0"]
    assert [item.pinned for item in dresses.items] == [True, False, False]
    assert not any(item.pinned for item in jeans.items)

    asked = recommend(
        shopper=shopper, settings=settings_with(), wanted=ProductFilter(category=["Jeans"])
    )
    assert names(asked.items)[0] == "Jeans 0"  # the pin of everywhere is no pair of jeans
    pin(product=world.products["Jeans 3"], position=1, category=category("Jeans"))
    asked = recommend(
        shopper=shopper, settings=settings_with(), wanted=ProductFilter(category=["Jeans"])
    )
    assert (names(asked.items)[0], asked.items[0].pinned) == ("Jeans 3", True)


def test_nobody_gets_what_is_not_for_them_for_being_pinned(world):
    shopper = world.shopper("bought Dresses")
    for position, item_id in enumerate(("bought Dresses", "for men", "retired"), start=1):
        pin(product=world.products[item_id], position=position)
        boost(products=[world.products[item_id]], amount=2)
    answer = recommend(shopper=shopper, settings=settings_with())
    assert names(answer.items) == ["bought Jeans", "Dresses 0", "Jeans 0"]
    assert not any(item.pinned for item in answer.items)


def test_who_bought_nothing_sees_the_shop_s_rules_too(world):
    session = AnonymousSession.objects.create(token_sha256="0" * 64)
    bury(products=[world.products["bought Dresses"]], amount=0.1)
    boost(products=[world.products["Jeans 4"]], amount=0.1)
    boost(products=[world.products["Jeans 3"]], amount=1, category=category("Jeans"))
    pin(product=world.products["Dresses 4"], position=3)
    answer = recommend(shopper=session, settings=settings_with())
    found = names(answer.items)
    assert found[:3] == ["Jeans 4", "Dresses 0", "Dresses 4"]
    assert found[-1] == "bought Dresses"
    assert len(found) == len(set(found)) == 13
    asked = recommend(
        shopper=session, settings=settings_with(), wanted=ProductFilter(category=["Jeans"])
    )
    assert names(asked.items)[:2] == ["Jeans 3", "Jeans 4"]
    assert asked.items[0].relevance == asked.items[0].terms.popularity + 1


def test_diversity_keeps_pins_in_their_places(world):
    shopper = world.shopper("bought Dresses")
    pin(product=world.products["Dresses 4"], position=1)
    answer = recommend(shopper=shopper, settings=settings_with(), diversity=0.5)
    assert (names(answer.items)[0], answer.items[0].pinned) == ("Dresses 4", True)


def test_a_set_is_read_again_as_it_was_given(world):
    shopper = world.shopper("bought Dresses", "bought Jeans")
    pin(product=world.products["Dresses 0"], position=2)
    pin(product=world.products["Jeans 4"], position=1, category=category("Jeans"))
    boost(products=[world.products["Dresses 1"]], amount=0.3)
    given = recommend(shopper=shopper, settings=settings_with())
    end_rules(rules=MerchandisingRule.objects.all(), now=timezone.now())

    read = read_set(RecommendationLog.objects.get(pk=given.id), now=timezone.now())

    def shown(items):
        return [(item.product.pk, item.pinned, item.terms) for item in items]

    assert shown(read.items) == shown(given.items)
    assert [shown(rail.items) for rail in read.rails] == [shown(rail.items) for rail in given.rails]
    assert any(item.pinned for item in read.items)


def test_the_page_of_a_product_follows_the_rules_of_its_category(world):
    product = world.products["bought Dresses"]
    rules = Rules(pins=(Pin(world.products["Jeans 4"].pk, None, 1),))
    related = related_by_relevance(product=product, settings=settings_with(), rules=rules)
    assert [(r.product_id, r.pinned) for r in related] == [
        (world.products["Jeans 4"].pk, True),
        (world.products["bought Jeans"].pk, False),
        (world.products["Dresses 0"].pk, False),
    ]
    rules = Rules(pins=(Pin(world.products["Jeans 4"].pk, category("Jeans").pk, 1),))
    related = related_by_relevance(product=product, settings=settings_with(), rules=rules)
    assert not any(r.pinned for r in related)


def test_over_graphql(world, client, ask):
    shopper = world.shopper("bought Dresses")
    shopper.user = User.objects.create_user("ann")
    shopper.save()
    client.force_login(shopper.user)
    pin(product=world.products["Jeans 4"], position=1)
    boost(products=[world.products["Dresses 4"]], amount=0.4)
    answer = ask(ANSWER)["data"]["recommendations"]
    first, second = answer["items"]["edges"][:2]
    assert (first["pinned"], first["node"]["itemId"]) == (True, "Jeans 4")
    assert (second["pinned"], second["node"]["itemId"]) == (False, "Dresses 4")
    assert second["terms"]["merchandising"] == 0.4
    assert second["relevance"] == pytest.approx(sum(second["terms"].values()))
    related = ask(
        """{ productRecommendations(itemId: "bought Dresses", first: 2) {
            edges { pinned reason node { itemId } } } }"""
    )["data"]["productRecommendations"]["edges"]
    assert [(e["pinned"], e["node"]["itemId"]) for e in related] == [
        (True, "Jeans 4"),
        (False, "Dresses 4"),
    ]


def test_a_shop_without_rules_asks_no_more_and_pins_ask_once(world):
    shopper = world.shopper("bought Dresses")
    settings = settings_with()

    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            recommend(shopper=shopper, settings=settings)
        return [query["sql"] for query in captured]

    without = statements()
    assert len(without) == 4  # and the prepared one that fetches what is shown
    assert not any("merchandised AS" in sql for sql in without)
    boost(products=[world.products["Jeans 4"]], amount=0.4)
    assert len(statements()) == 4
    pin(product=world.products["Jeans 4"], position=1)
    assert len(statements()) == 5


def test_pins_of_a_list_stand_in_place_of_those_of_everywhere():
    rules = Rules(
        pins=(Pin(1, None, 2), Pin(2, None, 1), Pin(3, None, 4), Pin(3, 9, 1), Pin(4, 9, 3))
    )
    assert [(p.product_id, p.position) for p in rules.pins_of_list(None)] == [
        (2, 1),
        (1, 2),
        (3, 4),
    ]
    assert [(p.product_id, p.position) for p in rules.pins_of_list(9)] == [(3, 1), (1, 2), (4, 3)]
    assert rules.pins_of_list(8) == rules.pins_of_list(None)
    assert Rules.from_json(None) == Rules()
