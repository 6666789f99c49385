"""The proximity term: by hand, in the sum, in the sentence, and 0 where nobody says where."""

from math import exp

import pytest
from django.contrib.auth.models import User

from catalog.models import Store
from recommender.nightly.services import recommend_all
from recommender.ranking import RankingError, RankingSettings, default_profile
from recommender.services import recommend
from shoppers.models import Shopper
from tests.factories import StockFactory
from tests.recommender.worlds import make_world

PARIS = {"latitude": 48.8566, "longitude": 2.3522}


def settings_with(**changes) -> RankingSettings:
    return RankingSettings.from_profile(default_profile()).with_changes(**changes)


@pytest.fixture
def world(db):
    """A twin of what was bought that no near store has, and something else round the corner."""
    world = make_world()
    world.add("bought", (1, 0, 0))
    for name, vector in (("twin", (1, 0, 0)), ("corner", (3, 4, 0)), ("nowhere", (0, 1, 0))):
        world.add(name, vector)
    near = Store.objects.create(name="Corner", latitude=48.8566, longitude=2.4)  # 3.5 km
    far = Store.objects.create(name="Lyon", latitude=45.7578, longitude=4.8320)  # 391.5 km
    for item_id, store, quantity in (
        ("twin", far, 1), ("twin", near, 0), ("corner", near, 1), ("corner", far, 1)
    ):  # fmt: skip
        StockFactory(product=world.products[item_id], store=store, quantity=quantity)
    return world


def test_the_term_by_hand_and_its_place_in_the_order(world):
    shopper = world.shopper("bought", **PARIS)
    plain = recommend(shopper=shopper, settings=settings_with())
    assert [i.product.item_id for i in plain.items] == ["twin", "corner", "nowhere"]
    assert {i.terms.proximity for i in plain.items} == {0.0}

    answer = recommend(shopper=shopper, settings=settings_with(weight_proximity=0.6))

    assert [i.product.item_id for i in answer.items] == ["corner", "twin", "nowhere"]
    corner, twin, nowhere = answer.items
    kilometres = corner.availability.distance_km
    assert kilometres == pytest.approx(3.5, abs=0.05)
    assert corner.terms.store_proximity == pytest.approx(exp(-kilometres / 10))
    assert corner.terms.proximity == pytest.approx(0.6 * exp(-kilometres / 10))
    assert twin.terms.proximity == pytest.approx(0.6 * exp(-39.15), abs=1e-9)
    assert nowhere.terms.proximity == 0.0
    terms = corner.terms
    assert corner.relevance == (terms.visual + terms.popularity + terms.category + terms.proximity)
    assert answer.rails[0].proven
    assert corner.reason == (
        f"Corner has it, 3.5 km from you (proximity 0.42 of {corner.relevance:.2f}); "
        "looks like dresses, which you bought in January 2025."
    )


def test_a_store_at_the_other_end_of_the_world_is_just_far(world):
    wellington = Store.objects.create(name="Wellington", latitude=-41.3, longitude=174.8)
    StockFactory(product=world.products["nowhere"], store=wellington)
    shopper = world.shopper("bought", **PARIS)
    answer = recommend(shopper=shopper, settings=settings_with(weight_proximity=0.6))
    assert answer.items[-1].product.item_id == "nowhere"
    assert 0 < answer.items[-1].terms.proximity < 1e-40


def test_who_bought_nothing_gets_what_is_near_too(world):
    shopper = world.shopper(**PARIS)
    answer = recommend(shopper=shopper, settings=settings_with(weight_proximity=1.0))
    assert answer.items[0].product.item_id == "corner"
    assert answer.items[0].terms.proximity == pytest.approx(exp(-0.35), abs=0.01)
    assert [i.product.item_id for i in answer.items[1:]] == ["bought", "twin", "nowhere"]


def test_without_a_place_or_any_store_nothing_is_near(world):
    shopper = world.shopper("bought")
    answer = recommend(shopper=shopper, settings=settings_with(weight_proximity=1.0))
    assert {i.terms.proximity for i in answer.items} == {0.0}
    Store.objects.all().delete()
    there = Shopper.objects.create(external_id="there", **PARIS)
    answer = recommend(shopper=there, settings=settings_with(weight_proximity=1.0))
    assert {i.terms.proximity for i in answer.items} == {0.0}


def test_over_graphql_with_a_point_of_the_request(client, ask, world):
    shopper = world.shopper("bought")
    shopper.user = User.objects.create_user("ann")
    shopper.save()
    client.force_login(shopper.user)
    answer = ask(
        """query ($near: LatLng) {
            recommendations(shopper: "ann", near: $near, weights: { proximity: 2 }) {
                profile { proximity }
                items { edges { relevance reason node { itemId }
                    terms { visual popularity category proximity storeProximity } } } } }""",
        near=PARIS,
    )["data"]["recommendations"]
    assert answer["profile"] == {"proximity": 2.0}
    first = answer["items"]["edges"][0]
    assert first["node"] == {"itemId": "corner"}
    assert first["terms"]["proximity"] == 2 * first["terms"]["storeProximity"]


@pytest.mark.parametrize("weight", [-0.1, float("inf"), float("nan")])
def test_a_weight_that_is_none_is_refused(db, weight):
    with pytest.raises(RankingError, match="the weight of the proximity must be finite"):
        settings_with(weight_proximity=weight)


def test_lists_for_everybody_know_no_places(db, tmp_path):
    with pytest.raises(RankingError, match="know no distances"):
        recommend_all(settings=settings_with(weight_proximity=0.1), output=tmp_path / "all.csv")
