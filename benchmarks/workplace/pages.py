"""What is asked for: every list of the admin's registry in each way that its page offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import resolve, reverse

from catalog.models import Product
from shoppers.models import Shopper

NO_SUCH_WORD = "zzqx"


@dataclass(frozen=True)
class AdminPage:
    """One address, and what it shows."""

    model: str  # catalog.product; empty for a page that is no model's list
    view: str  # first, last, search, filter gender__exact=MEN, order by price
    path: str

    @property
    def name(self) -> str:
        """As it is called in the figures."""
        return f"{self.model}: {self.view}" if self.model else self.view


def list_pages(user: User, only: str = "") -> Iterator[AdminPage]:
    """Each list in each way that its first page offers this person."""
    for model, model_admin in admin.site._registry.items():
        if model._meta.label_lower.startswith(only):
            path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            changes = _change_list(user, model_admin, path)
            for view, query in _ways(model_admin, changes):
                query_string = urlencode(query)
                url = f"{path}?{query_string}" if query else path
                yield AdminPage(model._meta.label_lower, view, url)


def own_pages() -> list[AdminPage]:
    """Pages beside the lists: no bar applies to them, but somebody waits for them, too."""
    names = ("index", "similarity", "embedding_progress", "today_without_embedding")
    pages = [(name, reverse(f"admin:{name}")) for name in names]
    product, shopper = Product.objects.first(), Shopper.objects.first()
    pages += [
        ("a product", reverse("admin:catalog_product_change", args=[product.pk])),
        ("a shopper", reverse("admin:shoppers_shopper_change", args=[shopper.pk])),
    ]
    return [AdminPage("", name, path) for name, path in pages]


def _change_list(user: User, model_admin: ModelAdmin, path: str) -> ChangeList:
    request = RequestFactory().get(path)
    request.user, request.resolver_match = user, resolve(path)
    return model_admin.get_changelist_instance(request)


def _ways(model_admin: ModelAdmin, changes: ChangeList) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "first", {}
    if changes.paginator.num_pages > 1:
        yield "last", {"p": changes.paginator.num_pages}
    if model_admin.search_fields:
        yield "search", {"q": _known_word(model_admin) or NO_SUCH_WORD}
        yield "search in vain", {"q": NO_SUCH_WORD}
    for spec in changes.filter_specs:
        for query in _filter_queries(spec):
            yield f"filter {urlencode(query)}", query
    for number, column in enumerate(changes.list_display):
        if changes.get_ordering_field(column):
            yield f"order by {column}", {"o": str(number)}


def _known_word(model_admin: ModelAdmin) -> str:
    """What some row's first searched field says."""
    field = model_admin.search_fields[0].lstrip("=^@")
    rows = model_admin.model._default_manager.exclude(**{f"{field}__isnull": True})
    return str(rows.values_list(field, flat=True).order_by("pk").last() or "")


def _filter_queries(spec: Any) -> list[dict[str, Any]]:
    """A filter by its first and by its last value."""
    names, values = spec.expected_parameters(), _values(spec)
    if names[0].endswith("_from"):
        return [{names[0]: 20, names[1]: 40}]
    return [{names[0]: value} for value in dict.fromkeys((values[0], values[-1]))] if values else []


def _values(spec: Any) -> list[Any]:
    choices = getattr(spec, "lookup_choices", None)
    if choices is not None:
        return [choice[0] if isinstance(choice, tuple | list) else choice for choice in choices]
    field = spec.field
    if getattr(field, "flatchoices", None):
        return [value for value, _ in field.flatchoices]
    return ["1", "0"]  # of Boolean fields, and of whether a field is empty
