"""Whatever is asked, the answer is data or documented codes; nothing of ours breaks.

FUZZED_QUERIES=10000 draws as many, FUZZ_SEED others.
"""

import os
import re

import pytest
from django.contrib.auth.models import User
from graphql import parse
from graphql.error import GraphQLSyntaxError

from catalog.graphql_errors import ErrorCode
from fashrec_site.schema import schema
from tests.factories import StockFactory
from tests.fashrec_site.fuzzed_queries import QueryFuzzer
from tests.recommender.worlds import make_world

N_QUERIES = int(os.environ.get("FUZZED_QUERIES", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
INTERNALS = re.compile(r"Traceback|psycopg|SELECT |site-packages|0x[0-9a-f]{6}|DataError")


@pytest.fixture
def clients(client, settings):
    """A stranger and a member of staff, who may ask everything; nobody is asked to slow down."""
    settings.FASHREC_RATE_LIMIT = ""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # only faster
    world = make_world()
    for number in range(4):
        product = world.add(f"item-{number}", (1, number, 0), popularity=number)
        StockFactory(product=product)
    world.shopper("item-0", external_id="fuzz-shopper")
    staff = type(client)()
    staff.force_login(User.objects.create_user("clerk", is_staff=True))
    return client, staff


@pytest.mark.django_db
def test_fuzzed_queries_get_data_or_documented_codes(clients, caplog):
    fuzzer = QueryFuzzer(schema._schema, SEED)
    n_answered = 0
    for number in range(N_QUERIES):
        drawn = fuzzer.draw()
        body = {"query": drawn.query, "variables": drawn.variables}
        client = clients[number % 2]
        response = client.post("/graphql/", body, content_type="application/json")
        assert response.status_code in (200, 400), (response.status_code, body)
        answer = response.json()
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes <= set(ErrorCode) - {ErrorCode.INTERNAL}, (body, answer, caplog.text[-3000:])
        assert not INTERNALS.search(str(answer.get("errors", ""))), (body, answer)
        n_answered += answer["data"] is not None
        caplog.clear()
    assert n_answered > N_QUERIES / 10, "hardly any query was valid, so hardly anything was tried"


def test_the_fuzzer_writes_queries_that_parse_and_reach_every_field():
    fuzzer = QueryFuzzer(schema._schema, SEED)
    drawn = [fuzzer.draw().query for _ in range(1_000)]
    for name in [*schema._schema.query_type.fields, *schema._schema.mutation_type.fields]:
        assert any(re.search(rf"\b{name}\b", query) for query in drawn), name
    assert sum(map(parses, drawn)) > 900


def parses(query: str) -> bool:
    try:
        parse(query)
    except GraphQLSyntaxError:
        return False
    return True
