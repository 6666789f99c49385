"""What shoppers' browsers and a storefront's server read, mixed as a shop's pages would."""

import json
from random import Random

from benchmarks.graphql_queries import QUERIES, random_values
from benchmarks.graphql_variables import with_variables
from benchmarks.http_load.generator import Request

# Shares of the requests: a page of the catalogue, a search, a product page's four queries, a home
# page's two.
SHARES = {
    "newest": 8,
    "gender and colour": 8,
    "by price": 4,
    "in stock nearby": 4,
    "one word": 8,
    "typo": 3,
    "everything": 3,
    "product": 14,
    "stores with it": 6,
    "similar": 10,
    "related": 8,
    "complementary": 4,
    "trending week": 5,
    "recommendations": 15,
}
RECOMMENDATIONS = """{{ recommendations(shopper: "shopper {shopper}", k: 5) {{
    id tier
    rails(first: 3) {{ items(first: 5) {{ edges {{
        relevance terms {{ visual popularity category }} node {{ itemId }} }} }} }}
    items(first: 20) {{ edges {{
        relevance node {{ itemId title price primaryImage {{ url }} }} }} }} }} }}"""
TEMPLATES = QUERIES | {"recommendations": RECOMMENDATIONS}


def draw_reads(
    n_requests: int, n_products: int, n_shoppers: int, key: str, random: Random
) -> list[Request]:
    """So many GraphQL requests of a storefront's server, of all kinds by their shares."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    kinds = random.choices(list(SHARES), list(SHARES.values()), k=n_requests)
    return [_request(kind, n_products, n_shoppers, headers, random) for kind in kinds]


def _request(
    kind: str, n_products: int, n_shoppers: int, headers: dict[str, str], random: Random
) -> Request:
    values = random_values(random) | {
        "item_id": f"p{random.randrange(n_products)}",
        "shopper": random.randint(1, n_shoppers),
    }
    query, variables = with_variables(TEMPLATES[kind].format(**values))
    body = json.dumps({"query": query, "variables": variables})
    return Request(kind=kind, path="/graphql/", body=body, headers=headers)
