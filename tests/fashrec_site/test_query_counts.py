"""The same query over one row and over a hundred asks the database equally often."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Category, CategoryGroup, Product, ProductImage, Stock, Store
from embeddings.models import Embedding
from embeddings.serving import refresh_product_vectors
from shoppers.models import Event, Purchase, Shopper
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
PRODUCT = """{ id itemId title gender color price category { name group { name } }
    images { url view } primaryImage { url } }"""
PLACE = "{latitude: 48.1, longitude: 16.2}"

QUERIES = {
    "products": f"{{ products(first: 100) {{ totalCount edges {{ cursor node {PRODUCT} }} }} }}",
    "backwards": f"{{ products(last: 100) {{ edges {{ node {PRODUCT} }} }} }}",
    "filtered": f"""{{ products(first: 100, order: PRICE_ASC, filter: {{
        gender: WOMEN, group: ["Garments", "Others"], color: "Red", price: {{min: 1}},
        inStock: true, near: {PLACE}, withinKm: 50, search: "drses red" }}) {{
            edges {{ node {PRODUCT} }} }} }}""",
    "product": f'{{ product(itemId: "item 0") {PRODUCT} }}',
    "stores": f"""{{ stores(first: 100, near: {PLACE}, withinKm: 50, stocking: "item 0") {{
        edges {{ node {{ name distanceKm }} }} }} }}""",
    "categories": "{ categories(first: 100) { edges { node { name group { name } } } } }",
    "colors": "{ colors { name nProducts } }",
    "favourites": f"""{{ favourites(first: 100) {{
        totalCount edges {{ cursor node {PRODUCT} }} }} }}""",
    "similar": f"""{{ similarProducts(itemId: "item 0", first: 100) {{
        edges {{ value node {PRODUCT} }} }} }}""",
    "trending": f"""{{ trending(window: MONTH, first: 100) {{
        edges {{ rise node {PRODUCT} }} }} }}""",
    "related": f"""{{ productRecommendations(itemId: "item 0", first: 100) {{
        edges {{ reason terms {{ visual }} node {PRODUCT} }} }} }}""",
    "complementary": f"""{{ productRecommendations(
        itemId: "item 0", intent: COMPLEMENTARY, first: 100) {{
        edges {{ reason node {PRODUCT} }} }} }}""",
    "recommendations": f"""{{ recommendations(shopper: "ann", k: 100) {{
        tier profile {{ name }}
        rails {{ because {{ product {PRODUCT} }} items(first: 10) {{
            edges {{ node {PRODUCT} relevance terms {{ visual }} store {{ name }} }} }} }}
        items(first: 100) {{ totalCount edges {{ node {PRODUCT} store {{ name }} }} }} }} }}""",
}


@pytest.fixture
def world():
    world = make_world()
    world.add("item 0", (1, 0, 0), category="Dresses")
    group = world.products["item 0"].category.group
    CategoryGroup.objects.filter(pk=group.pk).update(name="Garments")
    add_products(world, 2)
    shopper = world.shopper("item 0")
    shopper.user = User.objects.create_user("ann")
    shopper.save()
    Event.objects.create(
        shopper=shopper,
        product=world.products["item 0"],
        kind="favourite",
        occurred_at=timezone.now(),
    )
    return world


def add_products(world, up_to: int) -> None:
    """Products up to this number, each in a category and a store of its own, in bulk."""
    numbers = range(1, up_to)
    group, _ = CategoryGroup.objects.get_or_create(name="Others")
    options = {"ignore_conflicts": True}
    Category.objects.bulk_create(
        (Category(name=f"Kind {n}", group=group) for n in numbers), **options
    )
    kinds = Category.objects.in_bulk(field_name="name")
    Product.objects.bulk_create(
        (
            Product(
                item_id=f"item {n}",
                title="A dress",
                color="red",
                price=10,
                gender="WOMEN",
                category=kinds[f"Kind {n}"],
            )
            for n in numbers
        ),
        **options,
    )
    products = Product.objects.exclude(item_id="item 0")
    ProductImage.objects.bulk_create(
        (
            ProductImage(product=p, image="products/x.png", view="front", sha256="x")
            for p in products
        ),
        **options,
    )
    images = ProductImage.objects.filter(product__in=products)
    Embedding.objects.bulk_create(
        (
            Embedding(
                image=i,
                backbone=world.backbone,
                mask_method="none",
                state="ready",
                vector=[1, 0, 0],
                image_sha256="x",
                weights_sha256=world.backbone.weights_sha256,
            )
            for i in images
        ),
        **options,
    )
    refresh_product_vectors(world.backbone)
    buyer, _ = Shopper.objects.get_or_create(external_id="buyer")
    now = timezone.now()
    Purchase.objects.filter(shopper=buyer).delete()
    Purchase.objects.bulk_create(
        Purchase(shopper=buyer, product=p, purchased_at=now) for p in products
    )
    Event.objects.bulk_create(
        (
            Event(shopper=shopper, product=p, kind="favourite", occurred_at=now, key=p.item_id)
            for p in products
            for shopper in Shopper.objects.all()
        ),
        **options,
    )
    Store.objects.bulk_create(
        (Store(name=f"store {n}", latitude=48.2, longitude=16.4) for n in numbers), **options
    )
    Stock.objects.bulk_create(
        (Stock(product=p, store=s) for p in Product.objects.all()[:5] for s in Store.objects.all()),
        **options,
    )
    Stock.objects.bulk_create(
        (Stock(product=p, store=Store.objects.first()) for p in products), **options
    )


def ask_and_count(ask, query: str) -> tuple[int, int, list[str]]:
    """(edges in the answer, queries asked, their SQL); a savepoint is the test's own."""
    cache.clear()  # of what rises
    with CaptureQueriesContext(connection) as queries:
        answer = ask(query)
    assert "errors" not in answer, answer
    sql = [q["sql"][:150] for q in queries if "SAVEPOINT" not in q["sql"]]
    return str(answer).count("'node'"), len(sql), sql


def test_as_many_queries_for_a_hundred_rows_as_for_one(client, ask, world):
    client.force_login(User.objects.get(username="ann"))
    for query in QUERIES.values():
        ask(query)  # makes the default profile
    few = {name: ask_and_count(ask, query) for name, query in QUERIES.items()}
    add_products(world, 102)
    many = {name: ask_and_count(ask, query) for name, query in QUERIES.items()}
    for name in QUERIES:
        n_edges, n_queries, sql = many[name]
        assert few[name][1] == n_queries, (name, few[name][2], sql)
        assert n_queries <= 8, (name, sql)
        has_no_nodes = name in ("product", "colors")
        assert has_no_nodes or (few[name][0] <= 6 and n_edges >= 100), (name, n_edges)
