"""Every mutation answers with one shape: its result, or coded messages."""

import pytest
import strawberry
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError

from catalog.graphql_errors import ErrorCode, coded_error, not_found
from catalog.graphql_mutations import invalid, mutation

ERRORS = {
    "field": invalid("events.3.product_id", "no such product"),
    "conflict": invalid("name", "taken", ErrorCode.CONFLICT),
    "django": ValidationError({"name": ValidationError("exists", code="unique")}),
    "unnamed": ValidationError("too long", code="max_length"),
    "denied": PermissionDenied("staff only"),
    "missing": ObjectDoesNotExist("no such shopper"),
    "coded": not_found("no such key"),
    "login": coded_error(ErrorCode.UNAUTHENTICATED, "log in"),
    "ours": RuntimeError("secret"),
}


@strawberry.type
class Done:
    what: str


@strawberry.type
class Query:
    nothing: int = 0


@strawberry.type
class Mutation:
    @mutation
    def work(self, error: str = "") -> Done:
        if error:
            raise ERRORS[error]
        return Done(what="work")


schema = strawberry.Schema(Query, mutation=Mutation)
WORK = """mutation ($error: String! = "") { work(error: $error) {
    ... on Done { what } ... on OperationInfo { messages { kind field message code } } } }"""


def test_a_mutation_without_error_answers_with_its_result():
    assert schema.execute_sync(WORK).data == {"work": {"what": "work"}}


@pytest.mark.parametrize(
    ("error", "kind", "field", "message", "code"),
    [
        ("field", "VALIDATION", "events.3.productId", "no such product", "BAD_USER_INPUT"),
        ("conflict", "VALIDATION", "name", "taken", "CONFLICT"),
        ("django", "VALIDATION", "name", "exists", "CONFLICT"),
        ("unnamed", "VALIDATION", None, "too long", "BAD_USER_INPUT"),
        ("denied", "PERMISSION", None, "staff only", "FORBIDDEN"),
        ("missing", "ERROR", None, "no such shopper", "NOT_FOUND"),
        ("coded", "ERROR", None, "no such key", "NOT_FOUND"),
        ("login", "PERMISSION", None, "log in", "UNAUTHENTICATED"),
    ],
)
def test_what_the_caller_can_mend_is_a_coded_message(error, kind, field, message, code):
    answer = schema.execute_sync(WORK, {"error": error})
    expected = {"kind": kind, "field": field, "message": message, "code": code}
    assert (answer.data, answer.errors) == ({"work": {"messages": [expected]}}, None)


def test_what_is_ours_to_mend_stays_an_error():
    answer = schema.execute_sync(WORK, {"error": "ours"})
    assert answer.data is None
    assert isinstance(answer.errors[0].original_error, RuntimeError)
