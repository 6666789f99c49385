"""Times GraphQL requests on a synthetic shop with words, prices, stores and purchases."""

from random import Random
from time import perf_counter
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection
from django.test import Client

from benchmarks.figures import spread_ms
from benchmarks.synthetic import empty_database, fill_catalogue
from catalog.models import Product

N_STORES = 200
N_SHOPPERS = 5_000
SHOPPER_GENDERS = ["WOMEN"] * 6 + ["MEN"] * 3 + ["UNISEX"]
COLORS = ["Black", "White", "Red", "Blue", "Green", "Yellow", "Navy", "Grey", "Pink", "Brown"]
ALL_WORDS = (
    "linen cotton silk wool leather denim velvet striped checked printed plain floral slim loose "
    "cropped long short summer winter sailor biker evening jacket dress shirt skirt trousers "
    "cardigan blazer hoodie parka jeans blouse tunic boots sneakers sandals scarf"
)
WORDS = ALL_WORDS.split()
TYPOS = {"jacket": "jaket", "dress": "drses", "sneakers": "sneekers", "trousers": "trousres"}

FILL = (
    """UPDATE catalog_product SET
           title = w.a || ' ' || w.b || ' ' || w.c || ' ' || id, color = w.color,
           price = 5 + (id * 7919) %% 20000 / 100.0
       FROM (SELECT id AS pk,
               (%(words)s::text[])[1 + (id * 31) %% %(n_words)s] AS a,
               (%(words)s::text[])[1 + (id * 17 + 5) %% %(n_words)s] AS b,
               (%(words)s::text[])[1 + (id / 41) %% %(n_words)s] AS c,
               (%(colors)s::text[])[1 + (id * 13) %% %(n_colors)s] AS color
             FROM catalog_product) AS w WHERE id = w.pk""",
    "UPDATE catalog_productimage SET image = 'products/' || id || '.jpg'",
    """INSERT INTO catalog_store (name, latitude, longitude, is_simulated)
       SELECT 'store ' || n, 46 + n %% 20 * 0.2, 8 + n / 20 * 0.8, true
       FROM generate_series(0, %(n_stores)s - 1) AS n ON CONFLICT DO NOTHING""",
    """INSERT INTO catalog_stock (product_id, store_id, quantity)
       SELECT p.id, s.id, 1 FROM catalog_product p, generate_series(0, 2) AS k
       JOIN LATERAL (SELECT id FROM catalog_store ORDER BY id
                     OFFSET (p.id * 7 + k * 61) %% %(n_stores)s LIMIT 1) AS s ON true
       ON CONFLICT DO NOTHING""",
    # One shopper in ten of unknown gender; all of them see what is for children, too.
    """INSERT INTO shoppers_shopper (external_id, gender, trendiness, is_simulated, created_at)
       SELECT 'shopper ' || n,
           (%(genders)s::text[])[1 + n %% cardinality(%(genders)s::text[])],
           (n * 37 %% 101) / 100.0, true, now()
       FROM generate_series(1, %(n_shoppers)s) AS n""",
    """WITH numbered AS MATERIALIZED (
           SELECT id, gender, row_number() OVER (PARTITION BY gender ORDER BY id) - 1 AS n
           FROM catalog_product),
       sizes AS (SELECT gender, count(*) AS n FROM catalog_product GROUP BY gender),
       bought AS (
           SELECT n, min_id + (n * 7) %% %(n_shoppers)s AS shopper_id
           FROM generate_series(1, %(n_purchases)s) AS n,
               (SELECT min(id) AS min_id FROM shoppers_shopper))
       INSERT INTO shoppers_purchase (shopper_id, product_id, purchased_at, is_simulated)
       SELECT s.id, p.id, now() - b.n * interval '365 days' / %(n_purchases)s, true
       FROM bought b JOIN shoppers_shopper s ON s.id = b.shopper_id
           JOIN sizes USING (gender)
           JOIN numbered p ON p.gender = s.gender AND p.n = b.n::bigint * b.n %% sizes.n""",
    "ANALYZE",
)

ROW = "itemId title price color category { name group { name } } primaryImage { url }"
PAGE = f"pageInfo {{ endCursor hasNextPage }} edges {{ node {{ {ROW} }} }}"
NEAR = "near: {{latitude: {latitude}, longitude: {longitude}}}, withinKm: 50"


def _products(filters: str, arguments: str = "first: 24") -> str:
    """A format string of a query for products."""
    escaped = PAGE.replace("{", "{{").replace("}", "}}")
    return "{{ products(" + arguments + ", filter: {{" + filters + "}}) {{ " + escaped + " }} }}"


def _ranking(field: str) -> str:
    escaped = f"edges {{ node {{ {ROW} }} }}".replace("{", "{{").replace("}", "}}")
    return "{{ " + field + " {{ " + escaped + " }} }}"


QUERIES = {
    "newest": _products(""),
    "by price": _products("price: {{min: {price}}}", "first: 24, order: PRICE_ASC"),
    "gender and colour": _products('gender: WOMEN, color: "{color}"'),
    "rare combination": _products(
        'gender: BOYS, color: "{color}", category: "C3", price: {{max: 20}}, inStock: true'
    ),
    "in stock nearby": _products(NEAR),
    "one word": _products('search: "{word}"'),
    "two words": _products('search: "{word} {word_2}"'),
    "beginning of a word": _products('search: "{prefix}"'),
    "typo": _products('search: "{typo}"'),
    "everything": _products(
        'gender: [WOMEN, UNISEX], color: "{color}", price: {{max: 150}}, inStock: true, '
        + NEAR
        + ', search: "{typo}"'
    ),
    "a hundred with the total": "{{ products(first: 100) {{ totalCount "
    + PAGE.replace("{", "{{").replace("}", "}}")
    + " }} }}",
    "product": '{{ product(itemId: "{item_id}") {{ ' + ROW.replace("{", "{{").replace("}", "}}")
    + " }} }}",
    "stores with it": '{{ stores(stocking: "{item_id}", near: {{latitude: {latitude}, '
    "longitude: {longitude}}}) {{ edges {{ node {{ name distanceKm }} }} }} }}",
    "similar": _ranking('similarProducts(itemId: "{item_id}", first: 12)'),
    "related": _ranking('productRecommendations(itemId: "{item_id}", first: 12)'),
    "complementary": _ranking(
        'productRecommendations(itemId: "{item_id}", intent: COMPLEMENTARY, first: 12)'
    ),
    "trending in category": _ranking(
        'productRecommendations(itemId: "{item_id}", intent: TRENDING, first: 12)'
    ),
    "trending week": _ranking("trending(window: WEEK, first: 12)"),
    "trending month": _ranking("trending(window: MONTH, first: 12)"),
}  # fmt: skip

ABUSE = {
    "26 doubling fragments": "{ products { edges { node { ...F0 } } } } "
    + "".join(f"fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }} " for n in range(25))
    + "fragment F25 on Product { category { id } }",
    "1,000 aliases": "{"
    + " ".join(f'a{n}: product(itemId: "x") {{ id }}' for n in range(1000))
    + "}",
    "10,000 repeated fields": "{ products { edges { node { " + "id " * 10_000 + "} } } }",
    "480 repeated fields": "{" + "products { totalCount } " * 240 + "}",
    "5,000 directives": "{ products { totalCount " + "@skip(if: true) " * 5_000 + "} }",
    "1 MB of comments": "#" + "x" * 1_000_000 + "\n{ products { totalCount } }",
    "nested 300 deep": "{ node" * 300 + " }" * 300,
}


def run(*, n_products: int, n_purchases: int, n_repetitions: int, seed: int) -> dict[str, Any]:
    """Milliseconds per query, and until each abuse was refused."""
    settings.FASHREC_RATE_LIMIT = ""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    empty_database()
    fill_catalogue(np.random.default_rng(seed), n_products, dimension=64)
    fill_shop(n_products, n_purchases)
    client, random = Client(), Random(seed)
    queries = {
        name: _timed(client, [query.format(**random_values(random)) for _ in range(n_repetitions)])
        for name, query in QUERIES.items()
    }
    refusals = {
        name: _timed(client, [query] * n_repetitions, is_refused=True)
        for name, query in ABUSE.items()
    }
    return {
        "n_products": Product.objects.count(),
        "n_purchases": n_purchases,
        "queries": queries,
        "refusals": refusals,
    }


def fill_shop(n_products: int, n_purchases: int, n_shoppers: int = N_SHOPPERS) -> None:
    """Give a synthetic catalogue words, prices, stores, stock, shoppers and purchases.

    The shoppers are named "shopper 1", "shopper 2", ...
    """
    values = {
        "words": WORDS,
        "n_words": len(WORDS),
        "colors": COLORS,
        "n_colors": len(COLORS),
        "n_stores": N_STORES,
        "n_shoppers": n_shoppers,
        "genders": SHOPPER_GENDERS,
        "n_products": n_products,
        "n_purchases": n_purchases,
    }
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, values if "%" in statement else None)


def random_values(random: Random) -> dict[str, object]:
    """What the queries are filled in with."""
    word, word_2 = random.sample(WORDS, 2)
    return {
        "word": word,
        "word_2": word_2,
        "prefix": word[:3],
        "typo": random.choice(list(TYPOS.values())),
        "color": random.choice(COLORS),
        "price": random.randint(5, 150),
        "latitude": random.uniform(46, 50),
        "longitude": random.uniform(8, 16),
        "item_id": f"p{random.randrange(1_000)}",
    }


def _timed(client: Client, queries: list[str], *, is_refused: bool = False) -> dict[str, float]:
    """The spread over the queries; the first one is asked once more before, unmeasured."""
    seconds = []
    for query in [queries[0], *queries]:
        start = perf_counter()
        response = client.post("/graphql/", {"query": query}, content_type="application/json")
        seconds.append(perf_counter() - start)
        answer = response.json()
        if is_refused is not bool(answer.get("errors")):
            raise RuntimeError(f"expected another answer to {query[:200]}: {str(answer)[:500]}")
    return spread_ms(seconds[1:])
