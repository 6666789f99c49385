"""What is loaded is read without the library's wrappers, what may need a statement with them."""

import pytest
import strawberry
from strawberry_django.fields.field import StrawberryDjangoField

from catalog.models import Category, Product
from catalog.types import Product as ProductType
from fashrec_site.plain_fields import OptimizerOfOtherFields, read_plainly
from fashrec_site.schema import schema
from tests.factories import ProductFactory


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


def test_a_relation_that_is_loaded_is_its_row(fields):
    category = Category()
    assert fields["category"].resolve(Product(category=category), None) is category


def test_a_resolver_that_takes_only_its_row_is_called(fields, settings):
    settings.FASHREC_CURRENCY = "CHF"
    assert fields["currency"].resolve(Product(), None) == "CHF"


@pytest.mark.parametrize("name", ["category", "images"])
def test_what_may_need_a_statement_is_left_to_the_library(fields, name):
    with pytest.raises(WrappedError):
        fields[name].resolve(Product(category_id=1), None)


@strawberry.type
class Query:
    """What a resolver leaves to be fetched."""

    @strawberry.field
    def products(self) -> list[ProductType]:
        """A queryset that nobody fetched yet."""
        return Product.objects.all()


@pytest.mark.django_db
def test_a_queryset_is_fetched_with_what_is_asked_of_it(django_assert_num_queries):
    small = strawberry.Schema(Query, extensions=[OptimizerOfOtherFields])
    read_plainly(small._schema)
    names = [ProductFactory().category.name for _ in range(3)]

    with django_assert_num_queries(1):
        answer = small.execute_sync("{ products { category { name } } }")

    assert answer.data == {"products": [{"category": {"name": name}} for name in names]}
