"""The product filter of `products`, as conditions on candidates of recommendations."""

from dataclasses import replace

from django.db.models import QuerySet

from catalog.models import Product
from catalog.product_filter import ProductFilter
from recommender.relevance import Query, Subquery
from recommender.subqueries import subquery_of

NOTHING = Subquery("SELECT id FROM catalog_product WHERE false", {})


def narrowed(query: Query, wanted: ProductFilter) -> Query:
    """The query about those candidates only that the filter lets through.

    Genders, categories and prices become conditions on the columns that the indexes' rows have
    themselves, everything else one subquery of product keys. Cost: a query for categories, and
    those of `ProductFilter.apply`.

    Raises:
        GraphQLError: BAD_USER_INPUT, naming the part of the filter that makes no sense.
    """
    narrow = replace(query, category_ids=wanted.category_ids(), price_range=wanted.price_range())
    if wanted.gender is not None:
        chosen = {gender.value for gender in wanted.gender}
        narrow = replace(narrow, genders=[name for name in query.genders if name in chosen])
        if not narrow.genders:  # no statement is made for nobody
            return replace(narrow, genders=query.genders, selection=NOTHING)
    rest = replace(wanted, gender=None, category=None, group=None, price=None)
    if rest == ProductFilter():
        return narrow
    return replace(narrow, selection=selection_of(rest.apply(Product.objects.all())))


def selection_of(products: QuerySet) -> Subquery:
    """The keys of a queryset's products, to be asked for inside a statement of our own."""
    return subquery_of(products.values("pk"), "selected") or NOTHING
