"""A visitor's recommendations: ranked with weights of their own, and one of them explained."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict

from fashrec_site.storefront.api import ApiError, ask
from fashrec_site.storefront.visitor import visitor_of

TERMS = {
    "visual": "Looks",
    "popularity": "Popularity",
    "category": "Kind of garment",
    "proximity": "A store nearby",
}


class WeightsForm(forms.Form):
    """How much each term counts; what is left out stays as the shop has it."""

    visual = forms.FloatField(min_value=0, max_value=1, required=False)
    popularity = forms.FloatField(min_value=0, max_value=1, required=False)
    category = forms.FloatField(min_value=0, max_value=1, required=False)
    proximity = forms.FloatField(min_value=0, max_value=1, required=False)

    def as_weights(self) -> dict[str, float] | None:
        """GraphQL's RelevanceWeights; None for the shop's own."""
        given = {name: self.cleaned_data.get(name) for name in TERMS} if self.is_valid() else {}
        return {name: value for name, value in given.items() if value is not None} or None


@dataclass(frozen=True)
class Why:
    """One recommendation in its place: what the panel explains. `edge` is None where it is gone."""

    item_id: str
    because: str  # item id of the rail's product; empty for the merged list
    edge: dict[str, Any] | None = None
    rank: int = 0
    n: int = 0


@dataclass(frozen=True)
class Picks:
    """An answer of the API with what the page draws around it."""

    answer: dict[str, Any]
    why: Why | None = None
    sliders: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""  # with the weights that were asked for

    @property
    def scale(self) -> float:
        """The highest relevance on the page: what a full bar stands for."""
        return max((edge["relevance"] for edge in _edges(self.answer)), default=0) or 1.0


def picks_for(request: HttpRequest, **whose: Any) -> Picks:
    """Recommendations for somebody, ranked and explained as the address says.

    Raises:
        ApiError: the API refused, and not only because of the weights.
    """
    weights, problem = WeightsForm(request.GET).as_weights(), ""
    whose["near"] = visitor_of(request).place
    try:
        data = ask(request, "recommendations", weights=weights, **whose)
    except ApiError as error:
        if weights is None or error.code != "BAD_USER_INPUT":
            raise
        problem = "Something must count: these are ranked with the shop's own weights."
        data = ask(request, "recommendations", **whose)
    answer = data["recommendations"]
    return Picks(answer, _why(answer, request.GET), _sliders(answer["profile"]), problem)


def _sliders(profile: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "label": label, "value": profile[name]} for name, label in TERMS.items()]


def _why(answer: dict[str, Any], asked: QueryDict) -> Why | None:
    """The recommendation that the address asks about."""
    item_id, because = asked.get("why"), asked.get("because", "")
    if not item_id:
        return None
    edges = _list(answer, because)
    for rank, edge in enumerate(edges, start=1):
        if edge["node"]["itemId"] == item_id:
            return Why(item_id, because, edge, rank, len(edges))
    return Why(item_id, because)


def _list(answer: dict[str, Any], because: str) -> list[dict[str, Any]]:
    """The rail of a product of the history, or the merged list."""
    for rail in answer["rails"]:
        if rail["because"]["product"]["itemId"] == because:
            return rail["items"]["edges"]
    return answer["items"]["edges"]


def _edges(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from answer["items"]["edges"]
    for rail in answer["rails"]:
        yield from rail["items"]["edges"]
