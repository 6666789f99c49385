"""The relevance formula: against a naive oracle, and by hand at its corners."""

import math
import random

import pytest

from catalog.models import Gender, GroupSimilarity, Store
from recommender.models import RecommendationLog, Tier
from recommender.ranking import RankingError, RankingSettings, default_profile
from recommender.services import recommend
from shoppers.models import ProductPopularity
from tests.factories import CategoryFactory, CategoryGroupFactory, StockFactory
from tests.recommender.worlds import make_world, naive_relevance

pytestmark = pytest.mark.django_db


def settings_with(**changes) -> RankingSettings:
    return RankingSettings.from_profile(default_profile()).with_changes(**changes)


@pytest.fixture
def random_world():
    draw = random.Random(7)
    world = make_world(dimension=8)
    tops, knits = CategoryGroupFactory(name="Tops"), CategoryGroupFactory(name="Knitwear")
    for name, group in (("Tees", tops), ("Shirts", tops), ("Sweaters", knits)):
        CategoryFactory(name=name, group=group)
    first, second = sorted([tops, knits], key=lambda group: group.pk)
    GroupSimilarity.objects.create(a=first, b=second, similarity=0.4)
    for n in range(60):
        world.add(
            f"item-{n:02d}",
            tuple(draw.gauss(0, 1) for _ in range(8)),
            popularity=draw.choice([0, 3, 3, 17, 40, 100]),
            category=draw.choice(["Tees", "Shirts", "Sweaters", "Socks"]),
            gender=draw.choice(Gender.values),
            is_active=draw.random() > 0.1,
        )
    return world


@pytest.mark.parametrize("gender", Gender.values)
@pytest.mark.parametrize(
    ("trendiness", "weights", "exponent"),
    [
        (0.0, (0.7, 0.3, 0.0), 2.0),
        (1.0, (0.7, 0.2, 0.1), 3.0),  # odd: the power must be of the absolute difference
        (0.37, (0.0, 1.0, 0.0), 1.0),
        (0.5, (0.4, 0.2, 0.6), 4.0),
    ],
)
def test_every_rail_equals_a_loop_over_the_formula(
    random_world, gender, trendiness, weights, exponent
):
    shopper = random_world.shopper(
        "item-03", "item-20", "item-41", trendiness=trendiness, gender=gender
    )
    visual, popularity, category = weights
    settings = settings_with(
        weight_visual=visual,
        weight_popularity=popularity,
        weight_category=category,
        penalty_exponent=exponent,
        k=7,
    )
    answer = recommend(shopper=shopper, settings=settings, path="exact")
    assert [rail.because.product.item_id for rail in answer.rails] == [
        "item-41",
        "item-20",
        "item-03",
    ]
    for rail in answer.rails:
        expected = naive_relevance(random_world, shopper, settings, rail.because.product)[:7]
        assert [item.product.pk for item in rail.items] == [pk for _, pk in expected]
        for item, (relevance, _) in zip(rail.items, expected, strict=True):
            assert item.relevance == pytest.approx(relevance, abs=1e-3)  # vectors are half floats


def test_the_formula_by_hand():
    world = make_world()
    world.add("bought", (1, 0, 0), popularity=0)
    world.add("near", (3, 4, 0), popularity=100)  # cosine 0.6, NormPop 1
    shopper = world.shopper("bought", trendiness=0.25)
    ProductPopularity.objects.filter(product=world.products["bought"]).update(counted=0)
    item = recommend(shopper=shopper, settings=settings_with(), path="exact").rails[0].items[0]
    assert item.terms.visual_similarity == pytest.approx(0.6, abs=1e-3)
    assert item.normalized_popularity == 1.0
    assert item.terms.visual == pytest.approx(0.7 * 0.6, abs=1e-3)
    assert item.terms.popularity == pytest.approx(0.3 * (1 - 0.75**2))
    assert item.terms.category == 0.0
    assert item.terms.category_similarity == 1.0
    terms = item.terms
    assert item.relevance == terms.visual + terms.popularity + terms.category


@pytest.mark.parametrize("trendiness", [0.0, 1e-300, 1e-16, 1e-14])
def test_the_largest_exponent_of_the_smallest_distance_is_no_underflow(trendiness):
    world = make_world()
    world.add("bought", (1, 0, 0), popularity=9)
    world.add("unpopular", (1, 0, 0), popularity=0)
    settings = settings_with(penalty_exponent=20.0)
    for bought in ((), ("bought",)):
        shopper = world.shopper(*bought, trendiness=trendiness, external_id=f"{bought}")
        items = recommend(shopper=shopper, settings=settings, path="exact").items
        unpopular = next(i for i in items if i.product.item_id == "unpopular")
        assert unpopular.terms.popularity == 0.3


def test_popularity_is_zero_for_all_where_all_are_equal():
    world = make_world()
    for n in range(4):
        world.add(f"p{n}", (1, n, 0), popularity=5)
    shopper = world.shopper("p0", trendiness=1.0)
    ProductPopularity.objects.update(counted=0)
    items = recommend(shopper=shopper, settings=settings_with(), path="exact").rails[0].items
    assert {item.normalized_popularity for item in items} == {0.0}
    assert {item.terms.popularity for item in items} == {0.0}  # 0.3 * (1 - |0 - 1|^2)


def test_equal_relevance_goes_to_the_smaller_key():
    world = make_world()
    world.add("bought", (1, 0, 0))
    twins = [world.add(f"twin-{n}", (1, 1, 0)) for n in range(5)]
    shopper = world.shopper("bought")
    answer = recommend(shopper=shopper, settings=settings_with(k=3), path="exact")
    assert [item.product for item in answer.rails[0].items] == twins[:3]


def test_a_single_candidate_fills_a_rail_of_one():
    world = make_world()
    world.add("bought", (1, 0, 0))
    world.add("other", (0, 1, 0))
    answer = recommend(shopper=world.shopper("bought"), settings=settings_with(), path="exact")
    assert [item.product.item_id for item in answer.rails[0].items] == ["other"]


def test_bought_and_inactive_products_never_come_back():
    world = make_world()
    for name in ("a", "b", "c"):
        world.add(name, (1, 0, 0))
    world.add("gone", (1, 0, 0), is_active=False)
    answer = recommend(shopper=world.shopper("a", "b"), settings=settings_with(), path="exact")
    assert [[item.product.item_id for item in rail.items] for rail in answer.rails] == [["c"]] * 2


def test_children_never_see_adults_products():
    world = make_world()
    for gender in Gender.values:
        world.add(gender, (1, 0, 0), gender=gender)
    world.add("bought", (1, 0, 0), gender=Gender.GIRLS)
    shopper = world.shopper("bought", gender=Gender.GIRLS)
    answer = recommend(shopper=shopper, settings=settings_with(), path="exact")
    assert {item.product.item_id for item in answer.items} == {"GIRLS", "BOYS", "UNISEX"}


def test_the_papers_example_a_cardigan_is_nearer_to_sweaters_than_to_skirts():
    world = make_world()
    knits, skirts = CategoryGroupFactory(name="Knitwear"), CategoryGroupFactory(name="Dresses")
    CategoryFactory(name="Cardigans", group=knits)
    CategoryFactory(name="Sweaters", group=knits)
    CategoryFactory(name="Skirts", group=skirts)
    a, b = sorted([knits, skirts], key=lambda group: group.pk)
    GroupSimilarity.objects.create(a=a, b=b, similarity=0.1)
    world.add("cardigan", (1, 0, 0), category="Cardigans")
    world.add("skirt", (1, 0, 0), category="Skirts")
    world.add("sweater", (1, 0, 0), category="Sweaters")
    settings = settings_with(weight_category=1.0)
    items = recommend(shopper=world.shopper("cardigan"), settings=settings).rails[0].items
    assert [(i.product.item_id, i.terms.category) for i in items] == [
        ("sweater", 0.8),
        ("skirt", 0.1),
    ]


def test_a_shopper_without_purchases_gets_popular_products_in_line_with_their_trendiness():
    world = make_world()
    for popularity in (0, 30, 70, 100):
        world.add(f"pop-{popularity}", (1, 0, 0), popularity=popularity)
    answer = recommend(shopper=world.shopper(trendiness=0.75), settings=settings_with())
    assert answer.tier is Tier.POPULAR
    assert answer.rails == []
    assert [i.product.item_id for i in answer.items] == ["pop-70", "pop-100", "pop-30", "pop-0"]
    assert answer.items[1].relevance == pytest.approx(0.3 * (1 - 0.25**2))


def test_without_any_vector_popularity_still_answers():
    world = make_world()
    world.add("bought", (1, 0, 0))
    world.add("other", (1, 0, 0))
    shopper = world.shopper("bought")
    world.backbone.vectors.all().delete()
    answer = recommend(shopper=shopper, settings=settings_with())
    assert answer.tier is Tier.POPULAR
    assert [item.product.item_id for item in answer.items] == ["other"]


def test_a_purchase_without_a_vector_is_ranked_by_the_other_terms():
    world = make_world()
    world.add("bought", (1, 0, 0))
    world.add("popular", (0, 1, 0), popularity=50)
    world.add("unpopular", (1, 0, 0))
    shopper = world.shopper("bought", trendiness=1.0)
    world.products["bought"].vectors.all().delete()
    items = recommend(shopper=shopper, settings=settings_with(), path="exact").rails[0].items
    assert [i.product.item_id for i in items] == ["popular", "unpopular"]
    assert [i.terms.visual for i in items] == [0.0, 0.0]


def test_the_merged_list_has_each_product_once_at_its_highest_relevance(random_world):
    shopper = random_world.shopper("item-03", "item-20", gender=Gender.UNISEX)
    answer = recommend(shopper=shopper, settings=settings_with(k=40), path="exact")
    rails = [item for rail in answer.rails for item in rail.items]
    assert len(answer.items) == len({item.product.pk for item in rails}) < len(rails)
    for item in answer.items:
        assert item.relevance == max(o.relevance for o in rails if o.product == item.product)
    relevances = [item.relevance for item in answer.items]
    assert relevances == sorted(relevances, reverse=True)


def test_each_result_names_the_nearest_store_that_stocks_it():
    world = make_world()
    world.add("bought", (1, 0, 0))
    product = world.add("other", (1, 0, 0))
    lyon = Store.objects.create(name="Lyon", latitude=45.7578, longitude=4.8320)
    rome = Store.objects.create(name="Rome", latitude=41.9028, longitude=12.4964)
    empty = Store.objects.create(name="Paris, sold out", latitude=48.8566, longitude=2.3522)
    for store, quantity in ((rome, 1), (lyon, 1), (empty, 0)):
        StockFactory(product=product, store=store, quantity=quantity)
    shopper = world.shopper("bought", latitude=48.8566, longitude=2.3522)  # in Paris
    place = recommend(shopper=shopper, settings=settings_with()).items[0].availability
    assert place.store == lyon
    assert place.distance_km == pytest.approx(391.5, abs=1.0)


def test_within_km_keeps_only_what_a_near_store_has():
    world = make_world()
    world.add("bought", (1, 0, 0))
    for name, latitude in (("near", 48.9), ("far", 41.9)):
        store = Store.objects.create(name=name, latitude=latitude, longitude=2.35)
        StockFactory(product=world.add(name, (1, 0, 0)), store=store, quantity=1)
    world.add("nowhere", (1, 0, 0))
    shopper = world.shopper("bought", latitude=48.8566, longitude=2.3522)
    answer = recommend(shopper=shopper, settings=settings_with(), within_km=25)
    assert [item.product.item_id for item in answer.items] == ["near"]


def test_within_km_without_a_place_says_what_is_missing():
    world = make_world()
    shopper = world.shopper()
    with pytest.raises(ValueError, match="withinKm needs a place"):
        recommend(shopper=shopper, settings=settings_with(), within_km=25)


def test_the_answer_is_logged_under_its_id():
    world = make_world()
    world.add("bought", (1, 0, 0))
    other = world.add("other", (1, 0, 0))
    answer = recommend(shopper=world.shopper("bought"), settings=settings_with())
    log = RecommendationLog.objects.get(pk=answer.id)
    assert [entry["product"] for entry in log.items] == [other.pk]
    assert log.items[0]["relevance"] == answer.items[0].relevance
    assert log.settings["backbone"] == "hand"
    assert (log.n_statements, log.n_unproven) == (1, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_visual": 0.0, "weight_popularity": 0.0}, "not all zero"),
        ({"weight_visual": -0.1}, "not negative"),
        ({"weight_visual": math.nan}, "finite"),
        ({"penalty_exponent": 0.0}, "exponent must be positive and at most 20.0; got 0.0"),
        ({"penalty_exponent": 20.1}, "exponent must be positive and at most 20.0; got 20.1"),
        ({"k": 0}, "k must be from 1 to 100; got 0"),
    ],
)
def test_settings_that_cannot_rank_are_refused(changes, message):
    with pytest.raises(RankingError, match=message):
        settings_with(**changes)
