"""Query texts are parsed and validated once, and refused as often as they must be."""

from collections.abc import Iterator

import pytest
import strawberry
from graphql import NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension
from strawberry.schema import schema as library

from fashrec_site import known_queries
from fashrec_site.known_queries import MAX_CHARACTERS, KnownQueries
from fashrec_site.query_limits import MAX_COST, QueryLimits


@strawberry.type
class Query:
    @strawberry.field
    def doubled(self, number: int = 1) -> int:
        return 2 * number

    @strawberry.field
    def items(self, first: int = 1) -> list["Query"]:
        return [Query()] * min(first, 3)


class IntrospectionForStaff(SchemaExtension):
    """Adds a rule for whoever is not staff, as the site does for strangers."""

    def on_operation(self) -> Iterator[None]:
        if self.execution_context.context != "staff":
            rules = self.execution_context.validation_rules
            self.execution_context.validation_rules = (*rules, NoSchemaIntrospectionCustomRule)
        yield


schema = strawberry.Schema(
    query=Query, extensions=[QueryLimits, IntrospectionForStaff, KnownQueries]
)


@pytest.fixture(autouse=True)
def nothing_is_known():
    known_queries._known.cache_clear()


@pytest.fixture
def work(monkeypatch):
    """What was parsed and validated: a list of "parse" and "validate"."""
    done = []
    for name in ("parse", "validate"):
        original = getattr(library, name)

        def noted(*args, name=name, original=original, **kwargs):
            done.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(library, name, noted)
    return done


def ask(query, caller=None, **variables):
    return schema.execute_sync(query, variables, context_value=caller)


def test_a_text_is_parsed_and_validated_once_whatever_its_variables(work):
    query = "query ($n: Int!) { doubled(number: $n) }"

    answers = [ask(query, n=number).data for number in (1, 2)]

    assert answers == [{"doubled": 2}, {"doubled": 4}]
    assert work == ["parse", "validate"]


def test_an_invalid_text_is_refused_every_time(work):
    answers = [ask("{ unknown }") for _ in range(2)]

    for answer in answers:
        assert [e.message for e in answer.errors] == [
            "Cannot query field 'unknown' on type 'Query'."
        ]
    assert work == ["parse", "validate"] * 2


def test_a_known_text_is_still_refused_for_what_its_variables_cost():
    nested = "items(first: $n) { items(first: $n) { items(first: $n) { doubled } } }"
    query = f"query ($n: Int!) {{ {nested} }}"

    assert ask(query, n=2).errors is None
    (refusal,) = ask(query, n=100).errors

    assert refusal.message.endswith(f"at most {MAX_COST} is allowed.")
    assert ask(query, n=2).errors is None


def test_what_staff_may_ask_is_not_known_to_be_valid_for_others():
    query = "{ __schema { queryType { name } } }"

    assert ask(query, caller="staff").errors is None
    refusals = ask(query).errors

    assert "introspection has been disabled" in refusals[0].message
    assert ask(query, caller="staff").errors is None


def test_a_long_text_is_not_kept(work):
    query = "{ doubled }" + " " * MAX_CHARACTERS

    for _ in range(2):
        assert ask(query).data == {"doubled": 2}

    assert work == ["parse", "validate"] * 2
