"""The list of products: every filter alone and together, every order, pages in both directions."""

import pytest

from catalog.models import Stock
from tests.factories import (
    CategoryFactory,
    CategoryGroupFactory,
    ProductFactory,
    StockFactory,
    StoreFactory,
)

pytestmark = pytest.mark.django_db
PRODUCTS = """
query ($filter: ProductFilter, $order: ProductOrder! = OLDEST, $first: Int, $after: String,
       $last: Int, $before: String) {
  products(filter: $filter, order: $order, first: $first, after: $after, last: $last,
           before: $before) {
    edges { node { itemId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
VIENNA = {"latitude": 48.21, "longitude": 16.37}


@pytest.fixture
def shop():
    tops, dresses = CategoryGroupFactory(name="Tops"), CategoryGroupFactory(name="Dresses")
    tee = CategoryFactory(name="Tees_Tanks", group=tops)
    gown = CategoryFactory(name="Evening_Dresses", group=dresses)
    rows = (
        ("tee-w", tee, "WOMEN", "Red", 10, "Linen tee"),
        ("tee-m", tee, "MEN", "Navy Blue", 20, "Striped sailor tee"),
        ("tee-u", tee, "UNISEX", "red", None, "Plain tee"),
        ("gown", gown, "WOMEN", "Black", 300, "Silk evening gown with sequins"),
        ("gown-2", gown, "WOMEN", "Red", 300, "Velvet gown"),
    )
    products = {
        item_id: ProductFactory(
            item_id=item_id, category=category, gender=gender, color=color, price=price, title=title
        )
        for item_id, category, gender, color, price, title in rows
    }
    vienna = StoreFactory(name="Vienna", **VIENNA)
    graz = StoreFactory(name="Graz", latitude=47.07, longitude=15.44)  # 145 km away
    StockFactory(product=products["tee-w"], store=vienna)
    StockFactory(product=products["gown"], store=graz)
    StockFactory(product=products["tee-m"], store=graz, quantity=0)
    ProductFactory(item_id="gone", category=tee, title="A tee of old", is_active=False)
    return products


def found(ask, filters=None, **variables) -> list[str]:
    answer = ask(PRODUCTS, filter=filters, **variables)
    assert "errors" not in answer, answer
    return [edge["node"]["itemId"] for edge in answer["data"]["products"]["edges"]]


def store_id(ask, name: str) -> str:
    edges = ask("{ stores { edges { node { id name } } } }")["data"]["stores"]["edges"]
    (store,) = (edge["node"]["id"] for edge in edges if edge["node"]["name"] == name)
    return store


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (
            {"category": ["Tees_Tanks", "Tees"]},
            "filter.category: there is no “Tees”; `categories` lists them.",
        ),
        (
            {"group": ["Gowns", "Bags"]},
            "filter.group: there is no “Bags”, “Gowns”; `categories { group }` lists them.",
        ),
        (
            {"store": "U3RvcmU6MTIzNDU2Nzg="},
            "filter.store: there is no such store (any more); `stores` lists them.",
        ),
        ({"store": "x"}, '$filter.store: Value cannot represent a GlobalID: "x".'),
        (
            {"price": {"max": "cheap"}},
            "Variable '$filter' has invalid value at .price.max: "
            'Value cannot represent a Decimal: "cheap".',
        ),
    ],
)
def test_what_a_filter_cannot_mean_is_named(ask, shop, filters, message):
    (error,) = ask(PRODUCTS, filter=filters)["errors"]
    assert (error["message"], error["extensions"]["code"]) == (message, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            '{ products(filter: {price: {min: "abc"}}) { totalCount } }',
            'filter.price.min: Value cannot represent a Decimal: "abc".',
        ),
        (
            '{ products(filter: {store: "x"}) { totalCount } }',
            'filter.store: Value cannot represent a GlobalID: "x".',
        ),
        ('{ node(id: "!!") { id } }', 'id: Value cannot represent a GlobalID: "!!".'),
    ],
)
def test_a_value_that_cannot_be_read_is_named_by_its_argument(ask, query, message):
    (error,) = ask(query)["errors"]
    assert (error["message"], error["extensions"]["code"]) == (message, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, ["tee-w", "tee-m", "tee-u", "gown", "gown-2"]),
        ({}, ["tee-w", "tee-m", "tee-u", "gown", "gown-2"]),
        ({"itemId": ["gown", "tee-m", "nothing"]}, ["tee-m", "gown"]),
        ({"gender": ["WOMEN"]}, ["tee-w", "gown", "gown-2"]),
        ({"gender": ["MEN", "UNISEX"]}, ["tee-m", "tee-u"]),
        ({"gender": []}, []),
        ({"category": ["Tees_Tanks"]}, ["tee-w", "tee-m", "tee-u"]),
        ({"group": ["Dresses"]}, ["gown", "gown-2"]),
        ({"color": ["RED", "black"]}, ["tee-w", "tee-u", "gown", "gown-2"]),
        ({"color": ["blue"]}, []),
        ({"price": {"min": "10.01"}}, ["tee-m", "gown", "gown-2"]),
        ({"price": {"max": 20}}, ["tee-w", "tee-m"]),
        ({"price": {"min": 10, "max": 10}}, ["tee-w"]),
        ({"price": {}}, ["tee-w", "tee-m", "tee-u", "gown", "gown-2"]),
        ({"inStock": True}, ["tee-w", "gown"]),
        ({"inStock": False}, ["tee-m", "tee-u", "gown-2"]),
        ({"near": VIENNA, "withinKm": 1}, ["tee-w"]),
        ({"near": VIENNA, "withinKm": 150}, ["tee-w", "gown"]),
        ({"near": {"latitude": -48.0, "longitude": -163.0}, "withinKm": 100}, []),
        ({"search": "gown"}, ["gown", "gown-2"]),
        (
            {
                "gender": ["WOMEN"],
                "group": ["Dresses", "Tops"],
                "category": ["Evening_Dresses"],
                "color": ["black"],
                "price": {"min": 1, "max": 500},
                "inStock": True,
                "near": VIENNA,
                "withinKm": 200,
                "search": "silk gwon",
            },
            ["gown"],
        ),
    ],
)
def test_filters_narrow_and_combine(ask, shop, filters, expected):
    assert found(ask, filters) == expected


def test_a_store_narrows_to_what_it_has(ask, shop):
    assert found(ask, {"store": store_id(ask, "Graz")}) == ["gown"]
    assert found(ask, {"store": store_id(ask, "Vienna"), "color": ["black"]}) == []
    assert found(ask, {"store": store_id(ask, "Graz"), "near": VIENNA, "withinKm": 5}) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("OLDEST", ["tee-w", "tee-m", "tee-u", "gown", "gown-2"]),
        ("NEWEST", ["gown-2", "gown", "tee-u", "tee-m", "tee-w"]),
        ("RELEVANCE", ["gown-2", "gown", "tee-u", "tee-m", "tee-w"]),
        ("PRICE_ASC", ["tee-w", "tee-m", "gown-2", "gown", "tee-u"]),
        ("PRICE_DESC", ["gown-2", "gown", "tee-m", "tee-w", "tee-u"]),
    ],
)
def test_every_order_is_the_same_page_by_page_and_backwards(ask, shop, order, expected):
    assert found(ask, order=order) == expected
    assert walk(ask, "first", "after", "endCursor", "hasNextPage", order) == expected
    backwards = walk(ask, "last", "before", "startCursor", "hasPreviousPage", order)
    assert backwards == [*expected[3:], *expected[1:3], *expected[:1]]


def walk(ask, size: str, argument: str, cursor: str, goes_on: str, order: str) -> list[str]:
    """All items by pages of two, in the order in which the pages came."""
    items, variables = [], {}
    while True:
        page = ask(PRODUCTS, order=order, **{size: 2}, **variables)["data"]["products"]
        items += [edge["node"]["itemId"] for edge in page["edges"]]
        if not page["pageInfo"][goes_on]:
            return items
        variables = {argument: page["pageInfo"][cursor]}


def test_a_new_product_shifts_no_later_page(ask, shop):
    page = ask(PRODUCTS, first=2, order="NEWEST")["data"]["products"]
    ProductFactory(item_id="new")
    rest = found(ask, first=2, order="NEWEST", after=page["pageInfo"]["endCursor"])
    assert rest == ["tee-u", "tee-m"]


def test_the_total_is_that_of_all_pages(ask, shop):
    query = "{ products(first: 1, filter: {gender: WOMEN}) { totalCount edges { cursor } } }"
    page = ask(query)["data"]["products"]
    assert (page["totalCount"], len(page["edges"])) == (3, 1)


def test_a_product_on_sale_no_more_is_nowhere(ask, shop):
    assert ask('{ product(itemId: "gone") { id } }')["data"] == {"product": None}
    assert ask('{ product(itemId: "nothing") { id } }')["data"] == {"product": None}
    assert found(ask, {"search": "old"}) == []


def test_stores_are_listed_by_name_or_by_distance(ask, shop):
    query = """query ($near: LatLng, $withinKm: Float, $stocking: String) {
        stores(near: $near, withinKm: $withinKm, stocking: $stocking) {
            edges { node { name distanceKm } } } }"""

    def stores(**variables):
        edges = ask(query, **variables)["data"]["stores"]["edges"]
        return [
            (e["node"]["name"], e["node"]["distanceKm"] and round(e["node"]["distanceKm"]))
            for e in edges
        ]

    assert stores() == [("Graz", None), ("Vienna", None)]
    assert stores(near=VIENNA) == [("Vienna", 0), ("Graz", 145)]
    assert stores(near=VIENNA, withinKm=144) == [("Vienna", 0)]
    assert stores(near=VIENNA, stocking="gown") == [("Graz", 145)]
    assert stores(stocking="tee-m") == []
    Stock.objects.update(quantity=3)
    assert stores(stocking="tee-m") == [("Graz", None)]
