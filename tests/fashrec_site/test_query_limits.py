"""Queries that ask for too much are refused before they run; every answer says what it cost."""

import pytest
from graphql import parse

from fashrec_site.query_limits import MAX_COST
from fashrec_site.query_size import QueryMeasure
from fashrec_site.schema import schema
from tests.factories import ProductFactory

DOUBLING = "".join(f"fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }} " for n in range(25))
DEEP = "".join(f"fragment F{n} on __Type {{ ofType {{ ...F{n + 1} }} }} " for n in range(60))
LONG_CYCLE = "fragment A on Product { ...B } fragment B on Product { ...A }"
DOUBLING_FIELDS = "".join(
    f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} a{n}: __typename }} " for n in range(12)
)

TOO_MUCH = {
    "aliases": "{" + " ".join(f'a{n}: product(itemId: "x") {{ id }}' for n in range(60)) + "}",
    "few aliases": "{" + " ".join(f"a{n}: __typename" for n in range(16)) + "}",
    "doubling aliases": f"{{ ...F0 }} {DOUBLING_FIELDS} fragment F12 on Query {{ __typename }}",
    "fields": "{ products { edges { node { " + "id " * 300 + "} } } }",
    "cost": "{ products(first: 100) { edges { node { id "
    + "".join(f"i{n}: images {{ url }} " for n in range(15))
    + "} } } }",
    "cost by doubling": f"{{ products {{ edges {{ node {{ ...F0 }} }} }} }} {DOUBLING}"
    " fragment F25 on Product { category { id } }",
    "depth": '{ __type(name: "Query") { ...F0 } }' + DEEP + " fragment F60 on __Type { name }",
    "comments": "#" + "x" * 1_000_000 + "\n{ products { totalCount } }",
}


def codes(answer) -> set[str]:
    return {error["extensions"]["code"] for error in answer["errors"]}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_query_that_asks_too_much_is_refused(ask, name):
    answer = ask(TOO_MUCH[name])  # touches no database: this test has none
    assert answer["data"] is None
    assert codes(answer) == {"QUERY_TOO_EXPENSIVE"}


@pytest.mark.parametrize(
    "query",
    [
        "{ products { edges { node { " + "id " * 10_000 + "} } } }",
        "{ products " + "@skip(if: false) " * 900 + "{ totalCount } }",
        '{ product(itemId: "x") { id ' + "@skip(if: true) " * 100 + "} }",
        "{ node" * 300 + " }" * 300,
        "{ product(itemId: " + "[" * 900 + ") { id } }",
    ],
)
def test_a_document_that_is_too_long_or_nested_is_no_good_input(ask, query):
    assert codes(ask(query)) <= {"BAD_USER_INPUT", "QUERY_TOO_EXPENSIVE"}


def test_a_chain_of_doubling_fragments_is_measured_once_each(monkeypatch):
    asked = []
    known = QueryMeasure._of_selections

    def counting(self, *arguments):
        asked.append(arguments)
        return known(self, *arguments)

    monkeypatch.setattr(QueryMeasure, "_of_selections", counting)
    query = f'{{ product(itemId: "x") {{ ...F0 }} }} {DOUBLING} fragment F25 on Product {{ id }}'
    measure = QueryMeasure(schema._schema, parse(query), {})
    assert measure.of_operation(measure.operations[0]).depth == 2
    assert len(asked) == 28  # the operation, the product, and 26 fragments


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ __typename }", {}, 0),
        ('{ product(itemId: "x") { id category { group { name } } } }', {}, 1 + 1 + 1),
        ("{ products(first: 3) { edges { node { id } } } }", {}, 10 + 3),
        ("{ products { edges { node { id } } } }", {}, 10 + 20),
        ("{ products(last: 7) { edges { node { id } } } }", {}, 10 + 7),
        ("query ($n: Int) { products(first: $n) { edges { node { id } } } }", {"n": 4}, 14),
        ("query ($n: Int = 9) { products(first: $n) { edges { node { id } } } }", {}, 19),
        ("query ($n: Int = 9) { products(first: $n) { edges { node { id } } } }", {"n": None}, 30),
        (
            "{ products(first: 2) { ...P } } fragment P on ProductConnection "
            "{ edges { node { images { url } } } }",
            {},
            10 + 2 * (1 + 5),
        ),
        (
            '{ recommendations(shopper: "a") { rails(first: 2) { items(first: 3) '
            "{ edges { node { id } } } } } }",
            {},
            20 + 1 + 2 * (1 + 3),
        ),
    ],
)
@pytest.mark.django_db
def test_the_cost_is_told_as_it_was_declared(ask, query, variables, cost):
    answer = ask(query, **variables)
    assert answer["extensions"] == {"cost": {"requested": cost, "maximum": MAX_COST}}


def test_the_cost_is_told_of_refused_queries_too(ask):
    assert ask("{ nonsense }")["extensions"]["cost"] == {"requested": 0, "maximum": MAX_COST}
    assert ask("{ nonsense")["extensions"]["cost"] == {"requested": None, "maximum": MAX_COST}
    requested = ask(TOO_MUCH["cost by doubling"])["extensions"]["cost"]["requested"]
    assert requested == 10 + 20 * (1 + 2**25)


@pytest.mark.parametrize(
    "arguments",
    [
        "first: 1000000",
        "first: -1",
        "first: 0",
        "last: 101",
        "last: -5",
        "first: 2147483647",
        "first: 2147483648",
        "first: 1, last: 1",
    ],
)
@pytest.mark.django_db
def test_a_page_has_at_most_a_hundred_rows(ask, arguments):
    for field in ("products", "categories", "stores"):
        answer = ask(f"{{ {field}({arguments}) {{ totalCount }} }}")
        assert codes(answer) <= {"BAD_USER_INPUT", "QUERY_TOO_EXPENSIVE"}


@pytest.mark.django_db
def test_a_page_size_of_null_is_that_of_none(ask):
    ProductFactory.create_batch(21)
    answer = ask("{ products(first: null, last: null) { edges { cursor } } }")
    assert len(answer["data"]["products"]["edges"]) == 20


def test_introspection_by_graphiql_is_not_too_much(ask):
    from graphql import get_introspection_query

    assert "errors" not in ask(get_introspection_query())
