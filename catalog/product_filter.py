"""What a list of products can be narrowed by and ordered by; everything combines."""

import enum
from decimal import Decimal

import strawberry
from django.db.models import F, QuerySet
from strawberry import relay
from strawberry.utils.str_converters import to_camel_case

from catalog import models
from catalog.graphql_errors import bad_user_input
from catalog.graphql_nodes import is_key
from catalog.querysets import ProductQuerySet
from catalog.search import search_products
from catalog.types import Gender, LatLng

MAX_CHOICES = 50
MAX_PRICE = Decimal("99999999.99")  # what the price's column holds


@strawberry.input
class PriceRange:
    """From `min` to `max`, both included; products without a price are in no range."""

    min: Decimal | None = strawberry.field(default=None, description="The lowest price.")
    max: Decimal | None = strawberry.field(default=None, description="The highest price.")


@strawberry.input
class ProductFilter:
    """Conditions on products, all of which must hold; a list means any of its values."""

    item_id: list[str] | None = strawberry.field(
        default=None, description="The shop's own ids, such as those of a bag."
    )
    gender: list[Gender] | None = strawberry.field(
        default=None, description="Made for exactly these; UNISEX is one of its own."
    )
    category: list[str] | None = strawberry.field(default=None, description="Categories' names.")
    group: list[str] | None = strawberry.field(default=None, description="Groups' names.")
    color: list[str] | None = strawberry.field(
        default=None, description="Colours' whole names, whatever the case."
    )
    price: PriceRange | None = strawberry.field(default=None, description="A range of prices.")
    in_stock: bool | None = strawberry.field(
        default=None, description="true: some store has it; false: none has."
    )
    store: relay.GlobalID | None = strawberry.field(
        default=None, description="The id of a store that has it in stock."
    )
    near: LatLng | None = strawberry.field(
        default=None, description="Where `withinKm` is measured from."
    )
    within_km: float | None = strawberry.field(
        default=None, description="In stock in a store at most this far from `near`."
    )
    search: str | None = strawberry.field(
        default=None,
        description="Every word must occur in title, category, group, colour, season or usage; "
        "beginnings count, and typos are forgiven.",
    )

    def apply(self, products: ProductQuerySet) -> ProductQuerySet:
        """`products` narrowed to those that meet every condition.

        Raises:
            GraphQLError: BAD_USER_INPUT, naming the part that makes no sense.
        """
        for narrow in (self._by_kind, self._by_price, self._by_stock, self._by_text):
            products = narrow(products)
        return products

    def category_ids(self) -> list[int] | None:
        """Keys of the categories that `category` and `group` leave; None where neither is given.

        One query. Raises as `apply`.
        """
        self._check_choices()
        self._check_names()
        if self.category is None and self.group is None:
            return None
        found = models.Category.objects.order_by()
        if self.category is not None:
            found = found.filter(name__in=self.category)
        if self.group is not None:
            found = found.filter(group__name__in=self.group)
        return list(found.values_list("pk", flat=True))

    def price_range(self) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price; None where neither is given. Raises as `apply`."""
        low, high = (self.price.min, self.price.max) if self.price else (None, None)
        for price in (low, high):
            if price is not None and not (price.is_finite() and 0 <= price <= MAX_PRICE):
                raise bad_user_input(f"prices are from 0 to {MAX_PRICE}; got {price}")
        if low is None and high is None:
            return None
        return (Decimal(0) if low is None else low, MAX_PRICE if high is None else high)

    def _check_choices(self) -> None:
        for name in ("item_id", "gender", "category", "group", "color"):
            if len(getattr(self, name) or ()) > MAX_CHOICES:
                raise bad_user_input(f"{to_camel_case(name)} must name at most {MAX_CHOICES}.")

    def _check_names(self) -> None:
        """Refuse a category or group that there is none of: nothing found would tell nobody why."""
        asked = (("category", self.category, models.Category, "categories"),)
        asked += (("group", self.group, models.CategoryGroup, "categories { group }"),)
        for name, given, model, listed in asked:
            known = model.objects.filter(name__in=given or []).values_list("name", flat=True)
            if unknown := set(given or ()) - set(known if given else ()):
                text = ", ".join(f"“{one[:100]}”" for one in sorted(unknown)[:5])
                raise bad_user_input(f"filter.{name}: there is no {text}; `{listed}` lists them.")

    def _by_kind(self, products: ProductQuerySet) -> ProductQuerySet:
        self._check_choices()
        self._check_names()
        if self.item_id is not None:
            products = products.named(self.item_id)
        if self.gender is not None:
            products = products.filter(gender__in=[gender.value for gender in self.gender])
        if self.category is not None:
            products = products.filter(category__name__in=self.category)
        if self.group is not None:
            products = products.filter(category__group__name__in=self.group)
        return products if self.color is None else products.in_colors(self.color)

    def _by_price(self, products: ProductQuerySet) -> ProductQuerySet:
        bounds = self.price_range()
        return products if bounds is None else products.filter(price__range=bounds)

    def _by_stock(self, products: ProductQuerySet) -> ProductQuerySet:
        if self.in_stock is False:
            if self.store or self.within_km is not None:
                raise bad_user_input("inStock: false cannot go with `store` or `withinKm`.")
            return products.out_of_stock()
        if self.store is not None:
            products = products.in_stock([_store_key(self.store)])
        if self.within_km is not None:
            return products.in_stock(self._near_stores())
        if self.near is not None:
            raise bad_user_input("`near` needs `withinKm`.")
        return products.in_stock() if self.in_stock and self.store is None else products

    def _near_stores(self) -> list[int]:
        if self.near is None:
            raise bad_user_input("`withinKm` needs `near`.")
        try:
            stores = models.Store.objects.within_km(self.near.place(), self.within_km)
        except ValueError as error:
            raise bad_user_input(str(error)) from error
        return list(stores.values_list("pk", flat=True))

    def _by_text(self, products: ProductQuerySet) -> ProductQuerySet:
        if self.search is None:
            return products
        try:
            return search_products(products, self.search)
        except ValueError as error:
            raise bad_user_input(str(error)) from error


def _store_key(store: relay.GlobalID) -> int:
    if store.type_name != "Store" or not is_key(store.node_id):
        raise bad_user_input("`store` must be the id of a Store.")
    if not models.Store.objects.filter(pk=store.node_id).exists():
        raise bad_user_input(
            "filter.store: there is no such store (any more); `stores` lists them."
        )
    return int(store.node_id)


@strawberry.enum
class ProductOrder(enum.Enum):
    """Which products come first; ties go to the newer one."""

    RELEVANCE = strawberry.enum_value(
        "relevance", description="Best match of `search` first; without it the newest."
    )
    NEWEST = strawberry.enum_value("newest", description="Last added first.")
    OLDEST = strawberry.enum_value("oldest", description="First added first.")
    PRICE_ASC = strawberry.enum_value(
        "price_asc", description="Cheapest first, those without a price last."
    )
    PRICE_DESC = strawberry.enum_value(
        "price_desc", description="Dearest first, those without a price last."
    )

    def apply(self, products: QuerySet) -> QuerySet:
        """`products` in this order."""
        if self is ProductOrder.RELEVANCE and "search_rank" in products.query.annotations:
            return products.order_by("-search_rank", "-id")
        if self is ProductOrder.OLDEST:
            return products.order_by("id")
        if self is ProductOrder.PRICE_ASC:
            return products.order_by(F("price").asc(nulls_last=True), "-id")
        if self is ProductOrder.PRICE_DESC:
            return products.order_by(F("price").desc(nulls_last=True), "-id")
        return products.order_by("-id")
