"""The texts and numbers of a row, checked before they come near the database."""

from unicodedata import normalize

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from catalog.importing.rows import shown
from catalog.models import Category, CategoryGroup, Gender, Product, ProductImage

MAX_PATH_LENGTH = 4096  # characters; Linux's PATH_MAX
LONGEST_VIEW_NUMBER = len("-9999")  # what numbering may append to a view's name
EMPTY = {"required": "it is empty"}


def _refuse_surrogates(text: str) -> None:
    """File names that are not UTF-8 reach Python as lone surrogates; no database takes them."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValidationError("it is not valid UTF-8") from error


class TextField(forms.CharField):
    """Text in Unicode's composed form, so that names from macOS and Linux are equal."""

    default_validators = [*forms.CharField.default_validators, _refuse_surrogates]

    def to_python(self, value: object) -> str:
        """Stripped and composed."""
        return normalize("NFC", super().to_python(value))


class GenderField(forms.ChoiceField):
    """One of the genders, in any case of letters."""

    def to_python(self, value: object) -> str:
        """Stripped, in capitals."""
        return super().to_python(value).strip().upper()


def _text(model: type[models.Model], name: str, *, required: bool = False) -> TextField:
    max_length = model._meta.get_field(name).max_length
    return TextField(max_length=max_length, required=required, error_messages=EMPTY)


FIELDS: dict[str, forms.Field] = {
    "item_id": _text(Product, "item_id", required=True),
    "image": TextField(max_length=MAX_PATH_LENGTH, error_messages=EMPTY),
    "category": _text(Category, "name", required=True),
    "gender": GenderField(
        choices=Gender.choices,
        required=False,
        error_messages={"invalid_choice": f"expected one of {', '.join(Gender.values)}"},
    ),
    "category_group": _text(CategoryGroup, "name"),
    "title": _text(Product, "title"),
    "color": _text(Product, "color"),
    "season": _text(Product, "season"),
    "year": forms.IntegerField(min_value=1900, max_value=2100, required=False),
    "usage": _text(Product, "usage"),
    "price": forms.DecimalField(min_value=0, max_digits=10, decimal_places=2, required=False),
    "segmentation_map": TextField(max_length=MAX_PATH_LENGTH, required=False),
    "view": TextField(
        max_length=ProductImage._meta.get_field("view").max_length - LONGEST_VIEW_NUMBER,
        required=False,
    ),
}
PRODUCT_FIELDS = ("gender", "category", "title", "color", "season", "year", "usage", "price")


def clean_values(values: dict[str, str]) -> tuple[dict[str, object], list[str]]:
    """Cleaned values by field (None where empty), and a reason for each that is refused.

    Text is stored as it came, formulas such as `=1+1` included; escaping is the exporter's part.
    """
    cleaned: dict[str, object] = {}
    reasons = []
    for name, value in values.items():
        try:
            field_value = FIELDS[name].clean(value)
            cleaned[name] = None if field_value == "" else field_value
        except ValidationError as error:
            arrived = f", got {shown(value)}" if value else ""
            reasons += [f"{name}: {text.rstrip('.')}{arrived}" for text in error.messages]
    return cleaned, reasons
