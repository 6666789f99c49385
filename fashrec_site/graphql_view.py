"""The GraphQL endpoint over HTTP: a body that is no GraphQL request is refused with 400."""

import json
from http import HTTPStatus

import orjson
from cross_web import HTTPException
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from strawberry.django.views import GraphQLView

from catalog.graphql_errors import ErrorCode
from fashrec_site.access.graphiql_policy import graphiql_policy
from fashrec_site.stack_room import call_with_room

LOADING = b"Loading..."
WAITING = (
    b"Loading the editor from unpkg.com. If nothing comes, this browser cannot reach it: send "
    b"queries by POST to this address, as docs/api.md shows."
)


class CodedGraphQLView(GraphQLView):
    """strawberry's view, with refusals in the same shape as every other error."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """The answer, or the reason why the request could not be read."""
        try:
            return call_with_room(self.run, request=request)
        except HTTPException as error:
            return _refusal(error.reason, error.status_code)
        except UnicodeDecodeError:  # from the library's reading of the body
            return _refusal("The request body is not UTF-8", HTTPStatus.BAD_REQUEST)

    @csp_replace(graphiql_policy())
    def render_graphql_ide(self, request: HttpRequest) -> HttpResponse:
        """GraphiQL's page, which may load what it is made of, and says so where it cannot."""
        response = super().render_graphql_ide(request)
        response.content = response.content.replace(LOADING, WAITING, 1)
        return response

    def encode_json(self, data: object) -> str | bytes:
        """The answer as JSON, by a library that takes a tenth of the time."""
        try:
            return orjson.dumps(data)
        except orjson.JSONEncodeError:  # a number beyond 64 bits, as a refusal repeats it
            return super().encode_json(data)

    def decode_json(self, data: str | bytes) -> object:
        """The request's JSON, an object or (to be refused as a batch) an array.

        Raises:
            HTTPException: 400 for what is nested too deeply, or neither of them.
        """
        try:
            decoded = json.loads(data)
        except RecursionError as error:
            reason = "The request body is nested too deeply"
            raise HTTPException(HTTPStatus.BAD_REQUEST, reason) from error
        if not isinstance(decoded, dict | list):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "The request body must be a JSON object")
        return decoded


def _refusal(reason: str, status: int) -> JsonResponse:
    error = {"message": reason, "extensions": {"code": ErrorCode.BAD_USER_INPUT.value}}
    return JsonResponse({"data": None, "errors": [error]}, status=status)
