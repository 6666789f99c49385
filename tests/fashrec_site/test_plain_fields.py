"""Columns are read without the library's wrappers, relations and resolvers with them."""

import pytest
from strawberry_django.fields.field import StrawberryDjangoField

from catalog.models import Category, Product
from fashrec_site.schema import schema


class WrappedError(Exception):
    """The field went through the library."""


@pytest.fixture
def fields(monkeypatch):
    def refuse(*args, **kwargs):
        raise WrappedError

    monkeypatch.setattr(StrawberryDjangoField, "get_result", refuse)
    return schema._schema.get_type("Product").fields


def test_a_column_is_its_attribute(fields):
    assert fields["itemId"].resolve(Product(item_id="a1"), None) == "a1"


@pytest.mark.parametrize("name", ["category", "images", "primaryImage"])
def test_what_may_need_a_statement_is_left_to_the_library(fields, name):
    with pytest.raises(WrappedError):
        fields[name].resolve(Product(category=Category()), None)
