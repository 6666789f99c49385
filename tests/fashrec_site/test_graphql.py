"""The GraphQL endpoint as a stranger, as the shopper, and as somebody careless."""

import pytest
from django.contrib.auth.models import User
from strawberry.relay.utils import from_base64

from catalog.models import Store
from recommender.models import RecommendationLog
from tests.factories import StockFactory
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db

RECOMMENDATIONS = """
query ($shopper: String!, $k: Int! = 5, $backbone: String, $weights: RelevanceWeights,
       $near: LatLng, $withinKm: Float) {
  recommendations(shopper: $shopper, k: $k, backbone: $backbone, weights: $weights,
                  near: $near, withinKm: $withinKm) {
    id tier
    profile { name visual popularity category penaltyExponent k backbone }
    rails {
      because { product { itemId } }
      items {
        edges {
          node { itemId category { name group { name } } primaryImage { url } }
          relevance normalizedPopularity distanceKm store { name }
          terms { visual popularity category visualSimilarity categorySimilarity }
        }
      }
    }
    items(first: 2) { edges { node { itemId } relevance } totalCount }
  }
}
"""


@pytest.fixture
def world():
    world = make_world()
    world.add("bought", (1, 0, 0))
    world.add("alike", (1, 0, 0), popularity=10)
    world.add("different", (0, 1, 0), popularity=10)
    store = Store.objects.create(name="Lyon", latitude=45.7578, longitude=4.8320)
    StockFactory(product=world.products["alike"], store=store)
    return world


@pytest.fixture
def ann(world):
    shopper = world.shopper("bought", trendiness=1.0, latitude=48.8566, longitude=2.3522)
    shopper.user = User.objects.create_user("ann")
    shopper.save()
    return shopper


def test_the_shopper_reads_their_own_recommendations(client, ask, ann):
    client.force_login(ann.user)
    answer = ask(RECOMMENDATIONS, shopper="ann", k=1)["data"]["recommendations"]
    (rail,) = answer["rails"]
    (item,) = rail["items"]["edges"]
    assert answer["tier"] == "PERSONAL"
    assert answer["profile"]["backbone"] == "hand"
    assert rail["because"]["product"] == {"itemId": "bought"}
    assert item["node"]["itemId"] == "alike"
    assert item["node"]["primaryImage"]["url"].startswith("/media/products/")
    terms = item["terms"]
    assert item["relevance"] == terms["visual"] + terms["popularity"] + terms["category"]
    assert item["relevance"] == pytest.approx(0.7 + 0.3)
    assert item["store"] == {"name": "Lyon"}
    assert item["distanceKm"] == pytest.approx(391.5, abs=1)
    type_name, key = from_base64(answer["id"])
    assert type_name == "RecommendationSet"
    assert RecommendationLog.objects.filter(pk=key).exists()


def test_staff_reads_any_shoppers_recommendations(client, ask, ann):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    answer = ask(RECOMMENDATIONS, shopper="ann")
    assert answer["data"]["recommendations"]["tier"] == "PERSONAL"


def test_a_stranger_another_shopper_and_an_unknown_shopper_get_the_same_error(client, ask, ann):
    anonymous = ask(RECOMMENDATIONS, shopper="ann")
    client.force_login(User.objects.create_user("eve"))
    stranger = ask(RECOMMENDATIONS, shopper="ann")
    unknown = ask(RECOMMENDATIONS, shopper="nobody")
    assert anonymous == stranger == unknown
    assert anonymous["data"] is None
    assert anonymous["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    assert RecommendationLog.objects.count() == 0


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"k": 0}, "k must be from 1 to 100; got 0"),
        ({"k": 101}, "k must be from 1 to 100; got 101"),
        ({"backbone": "resnet99"}, "no vectors of a backbone 'resnet99'; backbones with vectors:"),
        ({"weights": {"visual": 0, "popularity": 0}}, "not all zero"),
        ({"weights": {"penaltyExponent": -1}}, "exponent must be positive"),
        ({"near": {"latitude": 91, "longitude": 0}}, "latitude must be from -90 to 90"),
        ({"withinKm": -5}, "withinKm must be a positive number"),
    ],
)
def test_a_careless_request_is_told_what_to_mend(client, ask, ann, variables, message):
    client.force_login(ann.user)
    (error,) = ask(RECOMMENDATIONS, shopper="ann", **variables)["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert message in error["message"]


def test_weights_of_the_request_replace_the_profiles(client, ask, ann):
    client.force_login(ann.user)
    answer = ask(RECOMMENDATIONS, shopper="ann", weights={"visual": 0.0, "popularity": 1.0})
    profile = answer["data"]["recommendations"]["profile"]
    assert (profile["visual"], profile["popularity"], profile["category"]) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("metric", "values"), [("COSINE", [1, 0]), ("EUCLIDEAN", [0, 2**0.5])])
def test_similar_products_come_nearest_first_in_the_metric_asked_for(ask, world, metric, values):
    query = """query ($metric: Metric!) {
        similarProducts(itemId: "bought", first: 2, metric: $metric) {
            edges { node { itemId } value }
        }
    }"""
    answer = ask(query, metric=metric)["data"]["similarProducts"]["edges"]
    assert [row["node"]["itemId"] for row in answer] == ["alike", "different"]
    assert [row["value"] for row in answer] == pytest.approx(values, abs=1e-3)


def test_an_unexpected_failure_shows_no_internals(client, ask, ann, monkeypatch, caplog):
    def fail(**kwargs):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("recommender.services.recommend", fail)
    client.force_login(ann.user)
    (error,) = ask(RECOMMENDATIONS, shopper="ann")["errors"]
    assert error["extensions"] == {"code": "INTERNAL"}
    assert error["message"] == "Something went wrong on our side."
    assert "secret of the house" in caplog.text
