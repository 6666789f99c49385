"""The catalogue's filters as a form, from the address to GraphQL's ProductFilter."""

from typing import Any

from django import forms
from django.http import HttpRequest

from catalog.models import Gender
from catalog.money import money
from fashrec_site.storefront.api import ask
from fashrec_site.templatetags.storefront import spaced

ORDERS = [
    ("", "Best match"),
    ("NEWEST", "Newest"),
    ("PRICE_ASC", "Price, low to high"),
    ("PRICE_DESC", "Price, high to low"),
    ("OLDEST", "Oldest"),
]
KILOMETRES = [
    ("", "Anywhere"),
    *((str(km), f"Within {km:,} km") for km in (5, 25, 100, 1000, 5000)),
]
STOCK = [("", "Any"), ("in", "In stock"), ("out", "Sold out")]
Choices = list[tuple[str, str]]


def choices_of(request: HttpRequest) -> dict[str, Choices]:
    """What the API has to choose from."""
    data = ask(request, "choices")
    categories = [edge["node"] for edge in data["categories"]["edges"]]
    stores = [edge["node"] for edge in data["stores"]["edges"]]
    groups = sorted({category["group"]["name"] for category in categories})
    return {
        "group": [("", "Everything"), *((name, spaced(name)) for name in groups)],
        "category": [(c["name"], spaced(c["name"])) for c in categories],
        "color": [(c["name"], c["name"].capitalize()) for c in data["colors"]],
        "store": [("", "Any store"), *((s["id"], s["name"]) for s in stores)],
    }


class FilterForm(forms.Form):
    """Every condition of the API's products(filter)."""

    q = forms.CharField(max_length=200, required=False, label="Search")
    group = forms.ChoiceField(required=False, label="Department")
    gender = forms.MultipleChoiceField(required=False, choices=Gender.choices, label="For")
    category = forms.MultipleChoiceField(required=False, label="Category")
    color = forms.MultipleChoiceField(required=False, label="Colour")
    price_min = forms.DecimalField(required=False, min_value=0, max_digits=10, decimal_places=2)
    price_max = forms.DecimalField(required=False, min_value=0, max_digits=10, decimal_places=2)
    stock = forms.ChoiceField(required=False, choices=STOCK, label="Stock")
    store = forms.ChoiceField(required=False, label="Store")
    within = forms.ChoiceField(required=False, choices=KILOMETRES, label="Near you")
    order = forms.ChoiceField(required=False, choices=ORDERS, label="Sort by")

    def __init__(
        self, *args: Any, choices: dict[str, Choices], place: dict[str, float] | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        for name, values in choices.items():
            self.fields[name].choices = values

    def as_filter(self) -> dict[str, Any]:
        """GraphQL's ProductFilter of the cleaned form."""
        given = self.cleaned_data
        price = {"min": given["price_min"], "max": given["price_max"]}
        price = {name: str(value) for name, value in price.items() if value is not None}
        conditions = {
            "search": given["q"],
            "group": [given["group"]] if given["group"] else None,
            "gender": given["gender"],
            "category": given["category"],
            "color": given["color"],
            "price": price,
            "inStock": {"in": True, "out": False}.get(given["stock"]),
            "store": given["store"],
        }
        if given["within"] and self.place:
            conditions |= {"near": self.place, "withinKm": float(given["within"])}
        return {
            name: value for name, value in conditions.items() if value not in ("", None, [], {})
        }


def chips(form: FilterForm) -> list[dict[str, str]]:
    """What is filtered by, each with the address without it."""
    if not form.is_valid():
        return []
    found = []
    for name, value in form.cleaned_data.items():
        for one in value if isinstance(value, list) else [value]:
            is_idle = name == "order" or (name == "within" and not form.place)
            if not is_idle and one not in ("", None):
                found.append({"label": _label(form, name, one), "url": _without(form, name, one)})
    return found


def _label(form: FilterForm, name: str, value: Any) -> str:
    if name == "q":
        return f"“{value}”"
    if name in ("price_min", "price_max"):
        return f"{'from' if name == 'price_min' else 'up to'} {money(value)}"
    return dict(form.fields[name].choices).get(str(value), str(value))


def _without(form: FilterForm, name: str, value: Any) -> str:
    query = form.data.copy()
    for other in ("shown", "after"):
        query.pop(other, None)
    query.setlist(name, [one for one in query.getlist(name) if one != str(value)])
    if name.startswith("price_"):
        query.pop(name, None)
    return f"?{query.urlencode()}"
