"""All that is kept of a shopper, as plain values for a JSON file (GDPR, article 20)."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet

from catalog.models import Product
from fashrec_site.personal_data.rows import rows_about
from shoppers.models import Shopper

SECRETS = {"password", "token_sha256"}
ACCOUNT_FIELDS = ("username", "email", "first_name", "last_name", "date_joined", "last_login")


def export_shopper(shopper: Shopper) -> dict[str, Any]:
    """The shopper, their account, and every row about them by its model's name.

    Products are named by their item ids. Cost: one query per model, and one for the products.
    """
    rows = {queryset.model: list(queryset.order_by("pk")) for queryset in rows_about(shopper)}
    item_ids = _item_ids([row for found in rows.values() for row in found])
    return {
        "shopper": _values(shopper, item_ids),
        "account": _account(shopper.user),
        **{
            str(model._meta.verbose_name_plural): [_values(row, item_ids) for row in found]
            for model, found in rows.items()
        },
    }


def count_rows(shopper: Shopper) -> dict[str, int]:
    """How many rows there are about the shopper, by what they are called; none left out."""
    counts = {_plural(rows): rows.count() for rows in rows_about(shopper)}
    return {name: n_rows for name, n_rows in counts.items() if n_rows}


def _plural(rows: QuerySet) -> str:
    return str(rows.model._meta.verbose_name_plural)


def _item_ids(rows: list[Model]) -> dict[int, str]:
    keys = {row.product_id for row in rows if hasattr(row, "product_id")}
    return dict(Product.objects.filter(pk__in=keys).values_list("pk", "item_id"))


def _values(row: Model, item_ids: dict[int, str]) -> dict[str, Any]:
    values = {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in SECRETS
    }
    if "product" in values:
        values["product"] = item_ids.get(values["product"])
    return values


def _account(user: User | None) -> dict[str, Any] | None:
    return user and {name: getattr(user, name) for name in ACCOUNT_FIELDS}
