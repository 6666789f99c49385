"""The catalogue: every filter of the API as a form, and pages that go on as one scrolls."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from fashrec_site.storefront.api import ApiError, ask
from fashrec_site.storefront.filters import FilterForm, chips, choices_of
from fashrec_site.storefront.pages import page
from fashrec_site.storefront.visitor import visitor_of

PAGE_SIZE = 24
MAX_SHOWN = 480  # on one page; then a link leads to the next
MAX_FIRST = 96  # of one query


@dataclass(frozen=True)
class Page:
    """Some products in a row, and where they go on."""

    products: list[dict[str, Any]] = field(default_factory=list)
    end_cursor: str | None = None  # None at the end
    n_found: int | None = None  # where it was asked for


@page
def catalogue(request: HttpRequest) -> HttpResponse:
    """Products that pass the filters of the address.

    `shown` says how many, from the first one on, so that the back button finds as many again;
    `after` asks for those that follow a cursor only.
    """
    choices = choices_of(request)
    form = FilterForm(request.GET, choices=choices, place=visitor_of(request).place)
    found, problem = Page(), ""
    shown = _shown(request.GET)
    if form.is_valid():
        try:
            found = _found(request, form, shown)
        except ApiError as error:
            if error.code != "BAD_USER_INPUT":
                raise
            problem = str(error)
    context = {
        "form": form,
        "found": found,
        "problem": problem,
        "chips": chips(form),
        "more": _more(request.GET, found, shown),
        "shown": shown,
        "is_first_page": "after" not in request.GET,
    }
    return render(request, "storefront/catalogue.html", context)


def products_page(
    request: HttpRequest,
    conditions: dict[str, Any],
    *,
    n: int,
    order: str = "NEWEST",
    after: str | None = None,
    is_counted: bool = False,
) -> Page:
    """`n` products under the conditions, in as many queries as it takes."""
    products: list[dict[str, Any]] = []
    n_found = None
    while True:
        data = ask(
            request,
            "catalogue",
            filter=conditions,
            order=order,
            first=min(n - len(products), MAX_FIRST),
            after=after,
            counted=is_counted and n_found is None,
        )["products"]
        products += [edge["node"] for edge in data["edges"]]
        n_found = data.get("totalCount", n_found)
        after = data["pageInfo"]["endCursor"] if data["pageInfo"]["hasNextPage"] else None
        if after is None or len(products) >= n:
            return Page(products, after, n_found)


def _found(request: HttpRequest, form: FilterForm, shown: int) -> Page:
    after = request.GET.get("after")
    return products_page(
        request,
        form.as_filter(),
        n=PAGE_SIZE if after else shown,
        order=form.cleaned_data["order"] or "RELEVANCE",
        after=after,
        is_counted=after is None,
    )


def _shown(asked: QueryDict) -> int:
    """How many products the page shows in all, as the address says; whole pages of them."""
    text = asked.get("shown", "")
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else PAGE_SIZE
    return min(max(PAGE_SIZE, wanted - wanted % PAGE_SIZE), MAX_SHOWN)


def _more(asked: QueryDict, found: Page, shown: int) -> dict[str, str] | None:
    """Addresses of what follows: with all before it (`page`), and by itself (`part`)."""
    if found.end_cursor is None:
        return None
    query = asked.copy()
    query["after"] = found.end_cursor
    if shown >= MAX_SHOWN:
        query.pop("shown", None)
        return {"page": f"?{query.urlencode()}"}
    query["shown"] = str(shown + PAGE_SIZE)
    part = query.urlencode()
    query.pop("after")
    return {"page": f"?{query.urlencode()}", "part": f"?{part}"}
