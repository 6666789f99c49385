"""Answers over HTTP: those of GraphQL's `photoSearch`, with a status of HTTP."""

from http import HTTPStatus
from json import dumps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from strawberry.django.context import StrawberryDjangoContext

from catalog.graphql_errors import ErrorCode
from embeddings.photo_search.refusals import PhotoRefused
from fashrec_site.access.guard import refuse
from fashrec_site.photo_search.forms import WantedPage
from fashrec_site.schema import schema

QUERY = """
query PhotoSearch($id: ID!, $filter: ProductFilter, $first: Int, $after: String) {
  photoSearch(id: $id) {
    id
    status
    error { code message }
    expiresAt
    products(filter: $filter, first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges {
        cursor
        similarity
        node {
          id itemId title gender color price category { name } primaryImage { url }
        }
      }
    }
  }
}
"""
CHECK_PAGE = """
query CheckPage($filter: ProductFilter) {
  products(filter: $filter, first: 1) { pageInfo { hasNextPage } }
}
"""
STATUS_OF_CODE = {
    ErrorCode.BAD_USER_INPUT: HTTPStatus.BAD_REQUEST,
    ErrorCode.INVALID_IMAGE: HTTPStatus.BAD_REQUEST,
    ErrorCode.IMAGE_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.QUERY_TOO_EXPENSIVE: HTTPStatus.BAD_REQUEST,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.TIMEOUT: HTTPStatus.SERVICE_UNAVAILABLE,
}
POLL_AFTER_SECONDS = 1


def shown(request: HttpRequest, search_id: str, page: WantedPage) -> HttpResponse:
    """The search as it is now: 200 with products, 202 before, else why there are none."""
    answer = _ask(request, QUERY, {"id": search_id, **page.variables()})
    search = (answer.get("data") or {}).get("photoSearch")
    if answer.get("errors"):
        return JsonResponse(answer, status=_status(answer["errors"][0]["extensions"]["code"]))
    if search["error"]:
        code, message = ErrorCode(search["error"]["code"]), search["error"]["message"]
        return refuse(_status(code), code, message)
    del search["error"]
    if search["products"] is not None:
        return JsonResponse(answer)
    headers = {"Location": _place(search_id, page), "Retry-After": str(POLL_AFTER_SECONDS)}
    return JsonResponse(answer, status=HTTPStatus.ACCEPTED, headers=headers)


def page_refusal(request: HttpRequest, page: WantedPage) -> HttpResponse | None:
    """Why the page's filter makes no sense: told before anybody looks at the photo."""
    if page.filter is None:
        return None
    answer = _ask(request, CHECK_PAGE, {"filter": page.filter})
    if not answer.get("errors"):
        return None
    return JsonResponse(answer, status=_status(answer["errors"][0]["extensions"]["code"]))


def refused(refusal: PhotoRefused) -> HttpResponse:
    """A refusal in the shape of GraphQL's errors."""
    code, seconds = ErrorCode(refusal.code), refusal.retry_after_seconds
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return refuse(_status(code), code, str(refusal), **headers)


def wrong_method() -> HttpResponse:
    """What the address wants instead of what was sent to it."""
    message = (
        "Send the photo by POST as multipart/form-data in the field `photo` (JPEG, PNG or WEBP, "
        "at most 10 MB), such as: curl -F photo=@shirt.jpg .../search/photo"
    )
    answer = refuse(HTTPStatus.METHOD_NOT_ALLOWED, ErrorCode.BAD_USER_INPUT, message)
    answer["Allow"] = "POST"
    return answer


def _ask(request: HttpRequest, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    context = StrawberryDjangoContext(request=request, response=HttpResponse())
    result = schema.execute_sync(query, variable_values=variables, context_value=context)
    if not result.errors:
        return {"data": result.data, "extensions": result.extensions}
    return {"data": None, "errors": [error.formatted for error in result.errors]}


def _status(code: str) -> HTTPStatus:
    return STATUS_OF_CODE.get(ErrorCode(code), HTTPStatus.INTERNAL_SERVER_ERROR)


def _place(search_id: str, page: WantedPage) -> str:
    """Where the same page of the same search is asked for again."""
    parts = {"first": page.first, "after": page.after}
    given = {name: value for name, value in parts.items() if value is not None}
    if page.filter is not None:
        given["filter"] = dumps(page.filter, separators=(",", ":"))
    return f"{reverse('photo-search-result', args=[search_id])}?{urlencode(given)}"
