"""What careless and hostile clients send: refused with a code, and without our internals."""

import base64
import json

import pytest

from tests.factories import ProductFactory, StoreFactory

DEEP_JSON = b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 100_000 + b"}}"
URL = "/graphql/"


def global_id(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe{}",
        b'{"query": "\xc3\x28"}',
        b"5",
        b"null",
        b'"{ __typename }"',
        b"[1]",
        b'[{"query": "{ __typename }"}]',
        b"",
        b"{",
        b"{}",
        b'{"query": 5}',
        b'{"query": null}',
        b'{"query": ["{ __typename }"]}',
        b'{"query": "{ __typename }", "variables": [1]}',
        b'{"query": "{ __typename }", "variables": "{}"}',
        b'{"query": "{ __typename }", "operationName": "Other"}',
        b'{"query": "{ __typename }", "operationName": 5}',
        b'{"query": "{ __typename }", "extensions": 5}',
        b'{"query": "fragment F on Query { __typename }"}',
        DEEP_JSON,
    ],
)
def test_a_body_that_is_no_request_gets_400_and_a_code(client, body):
    response = client.post(URL, body, content_type="application/json")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    "parameters",
    [{"query": "{ __typename }", "variables": "5"}, {"query": "{ __typename }", "variables": "{"}],
)
def test_a_get_request_is_read_as_carefully(client, parameters):
    assert client.get(URL, parameters).status_code == 400


def test_other_content_types_are_refused(client):
    for content_type in ("text/plain", "multipart/form-data; boundary=x", ""):
        response = client.post(URL, b"{ __typename }", content_type=content_type)
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


BAD_QUERIES = [
    ("{ products {} }", {}),
    ("query A { ...F } fragment F on Query { ...F }", {}),
    ("query A { ...F } fragment F on Query { ...G } fragment G on Query { ...F }", {}),
    ("{ nonsense }", {}),
    ("{ products }", {}),
    ("", {}),
    ('{ product(itemId: "a\\u0000b") { id } }', {}),
    ("query ($i: String!) { product(itemId: $i) { id } }", {"i": "a\x00b"}),
    ("query ($i: String!) { product(itemId: $i) { id } }", {"i": "\ud800"}),
    ('{ product(itemId: "\\ud800") { id } }', {}),
    ("query ($i: String!) { product(itemId: $i) { id } }", {}),
    ("query ($f: ProductFilter) { products(filter: $f) { totalCount } }", {"f": {"color": [1]}}),
    ("query ($f: ProductFilter) { products(filter: $f) { totalCount } }", {"f": {"no": 1}}),
    ('{ products(filter: {store: "1"}) { totalCount } }', {}),
    (f'{{ products(filter: {{store: "{global_id("Product:1")}"}}) {{ totalCount }} }}', {}),
    (f'{{ products(filter: {{store: "{global_id("Store:x")}"}}) {{ totalCount }} }}', {}),
    ("{ products(filter: {price: {min: -1}}) { totalCount } }", {}),
    ('{ products(filter: {price: {min: "NaN"}}) { totalCount } }', {}),
    ('{ products(filter: {price: {max: "1e999"}}) { totalCount } }', {}),
    ('{ products(filter: {price: {max: "Infinity"}}) { totalCount } }', {}),
    ('{ products(filter: {price: {max: "ten"}}) { totalCount } }', {}),
    ("{ products(filter: {withinKm: 5}) { totalCount } }", {}),
    ("{ products(filter: {near: {latitude: 1, longitude: 1}}) { totalCount } }", {}),
    ("{ products(filter: {near: {latitude: 91, longitude: 1}, withinKm: 1}) { totalCount } }", {}),
    ("{ products(filter: {near: {latitude: 1, longitude: 1}, withinKm: 0}) { totalCount } }", {}),
    ("{ products(filter: {inStock: false, withinKm: 5}) { totalCount } }", {}),
    (f'{{ products(filter: {{search: "{"x" * 201}"}}) {{ totalCount }} }}', {}),
    (f"{{ products(filter: {{color: {['x'] * 51}}}) {{ totalCount }} }}".replace("'", '"'), {}),
    ("{ stores(withinKm: 5) { totalCount } }", {}),
    ("{ stores(near: {latitude: 1, longitude: 1}, withinKm: -5) { totalCount } }", {}),
    ('{ similarProducts(itemId: "bought", first: 1000) { edges { value } } }', {}),
    ('{ similarProducts(itemId: "bought", after: "x") { edges { value } } }', {}),
    ('{ node(id: "") { id } }', {}),
    ('{ node(id: "not base64") { id } }', {}),
    (f'{{ node(id: "{global_id("Product")}") {{ id }} }}', {}),
    (f'{{ node(id: "{global_id("Query:1")}") {{ id }} }}', {}),
    (f'{{ node(id: "{global_id("Nonsense:1")}") {{ id }} }}', {}),
    (f'{{ node(id: "{global_id("ProductConnection:1")}") {{ id }} }}', {}),
]
BAD_CURSORS = [
    "x",
    "",
    "é",
    global_id("orderedcursor:5"),
    global_id("orderedcursor:[]"),
    global_id("orderedcursor:{}"),
    global_id('orderedcursor:["a"]'),
    global_id("orderedcursor:[[1]]"),
    global_id('orderedcursor:["1", "2"]'),
    global_id('orderedcursor:["\\u0000"]'),
    global_id('orderedcursor:["\\ud800"]'),
    global_id("orderedcursor:" + "[" * 10_000),
    global_id("arrayconnection:5"),
    global_id("rank:5"),
]


@pytest.mark.parametrize(("query", "variables"), BAD_QUERIES)
@pytest.mark.django_db
def test_bad_input_is_told_so_without_internals(client, query, variables):
    body = json.dumps({"query": query, "variables": variables})
    response = client.post(URL, body, content_type="application/json")
    if response.status_code != 400:
        assert response.status_code == 200
    errors = response.json()["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    for word in ("Traceback", "psycopg", "SELECT", "Error:", "object at 0x"):
        assert word not in response.text.replace("Syntax Error:", "")


@pytest.mark.parametrize("cursor", BAD_CURSORS)
@pytest.mark.django_db
def test_a_foreign_cursor_is_bad_input(ask, cursor):
    for argument in ("after", "before"):
        query = f"query ($c: String) {{ products({argument}: $c) {{ edges {{ cursor }} }} }}"
        (error,) = ask(query, c=cursor)["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize("key", ["0", "9" * 19, "9" * 30, str(2**63), "-1", "abc", "", "\uff11"])
@pytest.mark.django_db
def test_a_key_that_no_row_has_is_nobodys(ask, key):
    ProductFactory()
    answer = ask("query ($id: ID!) { node(id: $id) { id } }", id=global_id(f"Product:{key}"))
    assert answer["data"] == {"node": None}
    assert "errors" not in answer


@pytest.mark.django_db
def test_a_thing_is_found_by_its_global_id(ask):
    shirt, gone, store = ProductFactory(), ProductFactory(is_active=False), StoreFactory()
    query = """query ($id: ID!) { node(id: $id) { __typename id ... on Product { itemId }
        ... on Store { name } ... on Category { name } ... on CategoryGroup { name } } }"""

    def node(name, row):
        answer = ask(query, id=global_id(f"{name}:{row.pk}"))
        assert "errors" not in answer
        return answer["data"]["node"]

    assert node("Product", shirt)["itemId"] == shirt.item_id
    assert node("Product", gone) is None
    assert node("Store", store)["name"] == store.name
    assert node("Category", shirt.category)["name"] == shirt.category.name
    group = node("CategoryGroup", shirt.category.group)
    assert group["name"] == shirt.category.group.name
    assert group["id"] == global_id(f"CategoryGroup:{shirt.category.group_id}")
