"""docs/api.md and the schema agree, and every query on that page works as it stands."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from graphql import (
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_composite_type,
    is_list_type,
    parse,
    visit,
)
from strawberry.relay import to_base64

from catalog import graphql_connections
from catalog.graphql_errors import ErrorCode
from catalog.shipped_similarity import ensure_shipped_groups
from fashrec_site import query_limits
from fashrec_site.query_size import declared_cost
from fashrec_site.schema import schema
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from tests.factories import CategoryFactory, PhotoSearchFactory, StockFactory, StoreFactory
from tests.recommender.worlds import make_world

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


def rows_of_table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its own heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row] for row in rows[2:]]


@pytest.mark.django_db
def test_every_query_of_the_page_answers_without_error(client, ask):
    world = make_world()
    ensure_shipped_groups()  # of which the page's examples are
    CategoryFactory(name="Shorts")
    for number, item_id in enumerate(("id_00000023-01", "bought", "other")):
        world.add(item_id, (1, number, 0), popularity=number)
        vienna = StoreFactory(name=f"Store {number}", latitude=48.2, longitude=16.37)
        StockFactory(product=world.products[item_id], store=vienna)
    ann = world.shopper("bought", external_id="simulated-1")
    stored = recommend(shopper=ann, settings=RankingSettings.from_profile(default_profile()))
    variables = {"id": to_base64("RecommendationSet", stored.id)}
    staff = User.objects.create_user("clerk", is_staff=True)
    PhotoSearchFactory(
        pk="7d44b1f6-2c1e-4a55-9e10-3a3c3f0f8a11",
        asker=f"user:{staff.pk}",
        backbone=world.backbone,
        vector=[1, 0, 0],
    )
    assert len(QUERIES) > 12
    for query in QUERIES:
        client.force_login(staff)
        answer = ask(query, **variables)
        assert "errors" not in answer, (query, answer)


def test_every_root_field_has_a_query_on_the_page():
    asked = set()

    class Roots(Visitor):
        def enter_field(self, node, *_):
            asked.add((str(type_info.get_parent_type()), node.name.value))

    for query in QUERIES:
        type_info = TypeInfo(schema._schema)
        visit(parse(query), TypeInfoVisitor(type_info, Roots()))
    for root in (schema._schema.query_type, schema._schema.mutation_type):
        missing = {(root.name, name) for name in root.fields} - asked
        assert not missing, f"add an example to docs/api.md for {missing}"


def test_the_codes_of_the_page_are_those_of_the_code():
    assert [row[0] for row in rows_of_table("Errors")] == [code.value for code in ErrorCode]


def test_the_limits_of_the_page_are_those_of_the_code():
    assert {name: int(value) for name, value in rows_of_table("Limits")} == {
        "rows of a page": graphql_connections.MAX_PAGE,
        "cost of a query": query_limits.MAX_COST,
        "depth of a query": query_limits.MAX_DEPTH,
        "aliases": query_limits.MAX_ALIASES,
        "fields written": query_limits.MAX_FIELDS,
        "tokens": query_limits.MAX_TOKENS,
        "characters": query_limits.MAX_CHARACTERS,
    }


def test_everything_in_the_schema_is_described():
    bare = []
    for name, named in schema._schema.type_map.items():
        if name.startswith("__"):
            continue
        bare += [] if named.description else [name]
        for field_name, field in getattr(named, "fields", {}).items():
            bare += [] if field.description else [f"{name}.{field_name}"]
            arguments = getattr(field, "args", {})
            bare += [f"{name}.{field_name}({a})" for a in arguments if not arguments[a].description]
    assert bare == []


def test_the_committed_schema_is_the_served_one():
    committed = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert committed == schema.as_str() + "\n", "run: make schema"


def test_no_list_goes_without_a_bound():
    """Lists of objects are connections' edges, or priced as what their number may be."""
    for name, named in schema._schema.type_map.items():
        if name.startswith("__") or name == "OperationInfo":
            continue
        for field_name, field in getattr(named, "fields", {}).items():
            kind = getattr(field.type, "of_type", field.type)
            if is_list_type(kind) and is_composite_type(get_named_type(kind)):
                assert "price" in declared_cost(field), f"{name}.{field_name}: metadata=cost(...)"
