"""The filter of `products` on recommendations: everything combines, and K are found where K are."""

import random
from decimal import Decimal

import pytest
from graphql import GraphQLError
from strawberry.relay import GlobalID

from catalog.models import Gender, Product, Stock, Store
from catalog.product_filter import PriceRange, ProductFilter
from catalog.types import LatLng
from recommender.narrowing import selection_of
from recommender.ranking import RankingSettings, default_profile
from recommender.retrieval import rank_for_purchases
from recommender.services import recommend
from tests.factories import CategoryGroupFactory
from tests.recommender.test_retrieval import crowd, rails, settings_with, shopper_query  # noqa: F401
from tests.recommender.worlds import make_world

VIENNA = LatLng(latitude=48.2, longitude=16.4)
K = 4


@pytest.fixture
def shop(db):
    draw = random.Random(5)
    world = make_world()
    near = Store.objects.create(name="near", latitude=48.21, longitude=16.4)
    far = Store.objects.create(name="far", latitude=45.8, longitude=4.8)
    for n in range(80):
        product = world.add(
            f"item {n}",
            tuple(draw.gauss(0, 1) for _ in range(3)),
            popularity=draw.randrange(100),
            category=draw.choice(["Dresses", "Jeans", "Shirts"]),
            gender=draw.choice([Gender.WOMEN, Gender.UNISEX, Gender.MEN]),
        )
        product.color = draw.choice(["Red", "Blue", ""])
        product.price = draw.choice([None, 10, 50, 90])
        product.title = draw.choice(["Linen 100% summer", "Wool coat", ""])
        product.save()
        for store in draw.choice([(), (near,), (far,), (near, far)]):
            Stock.objects.create(product=product, store=store, quantity=1)
    CategoryGroupFactory(name="empty group")
    return world


FILTERS = {
    "gender": {"gender": [Gender.UNISEX]},
    "category": {"category": ["Jeans", "Shirts"]},
    "group": {"group": ["empty group"]},
    "color": {"color": ["red", "BLUE"]},
    "price": {"price": PriceRange(min=Decimal(20))},
    "cheap": {"price": PriceRange(max=Decimal(50))},
    "in stock": {"in_stock": True},
    "nowhere": {"in_stock": False},
    "near": {"near": VIENNA, "within_km": 25.0},
    "text": {"search": "linnen summer"},
    "no such word": {"search": "zzzzzzzz"},
    "all": {
        "gender": [Gender.WOMEN, Gender.UNISEX],
        "category": ["Dresses", "Jeans", "Shirts"],
        "color": ["red", "blue"],
        "price": PriceRange(min=Decimal(5), max=Decimal(60)),
        "in_stock": True,
        "near": VIENNA,
        "within_km": 25.0,
        "search": "linen",
    },
}


@pytest.mark.parametrize("bought", [("item 0", "item 1"), ()])
def test_only_what_products_lists_and_k_of_them_where_k_qualify(shop, bought):
    shopper = shop.shopper(*bought)
    settings = RankingSettings.from_profile(default_profile()).with_changes(k=K)
    for_women = Product.objects.filter(gender__in=["WOMEN", "UNISEX"]).exclude(item_id__in=bought)
    for name, conditions in FILTERS.items():
        wanted = ProductFilter(**conditions)
        listed = set(wanted.apply(for_women).values_list("pk", flat=True))
        assert name in ("group", "no such word") or listed

        answer = recommend(shopper=shopper, settings=settings, wanted=wanted)

        found = [[item.product.pk for item in rail.items] for rail in answer.rails]
        for keys in found or [[item.product.pk for item in answer.items]]:
            assert set(keys) <= listed, name
            assert len(set(keys)) == min(K if found else 50, len(listed)), name


def test_a_store_and_a_gender_that_nobody_shows_this_shopper(shop):
    shopper = shop.shopper("item 0")
    settings = RankingSettings.from_profile(default_profile())
    store = Store.objects.get(name="far")
    of_store = ProductFilter(store=GlobalID("Store", str(store.pk)))
    answer = recommend(shopper=shopper, settings=settings, wanted=of_store)
    assert answer.items
    assert all(store.stock.filter(product=item.product).exists() for item in answer.items)
    for_men = ProductFilter(gender=[Gender.MEN])
    assert recommend(shopper=shopper, settings=settings, wanted=for_men).items == []


def test_a_filter_that_makes_no_sense_is_refused(shop):
    settings = RankingSettings.from_profile(default_profile())
    for wanted, message in (
        (ProductFilter(price=PriceRange(min=Decimal(-1))), "prices are from 0"),
        (ProductFilter(category=["x"] * 51), "category must name at most 50"),
        (ProductFilter(within_km=3.0), "`withinKm` needs `near`"),
    ):
        with pytest.raises(GraphQLError, match=message):
            recommend(shopper=shop.shopper(external_id=message), settings=settings, wanted=wanted)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["index", None])
def test_a_selection_on_the_index_path_is_the_exact_one(crowd, path):  # noqa: F811
    every_seventh = Product.objects.order_by("pk").values_list("pk", flat=True)[::7]
    Product.objects.filter(pk__in=list(every_seventh)).update(color="Red")
    red = selection_of(Product.objects.all().in_colors(["red"]))
    query = shopper_query(3, 9, selection=red)
    settings = settings_with(crowd)

    found = rails(rank_for_purchases(query, settings, path=path))
    exact = rails(rank_for_purchases(query, settings, path="exact"))

    keys = set(Product.objects.filter(color="Red").values_list("pk", flat=True))
    for purchase_id in (0, 1):
        ids = [row.product_id for row in found[purchase_id]]
        assert ids == [row.product_id for row in exact[purchase_id]]
        assert len(ids) == settings.k
        assert set(ids) <= keys
