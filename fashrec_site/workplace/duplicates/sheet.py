"""A pair side by side: the facts of both products, and which of them differ."""

from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery, Sum

from catalog.models import Product, Stock
from embeddings.duplicates.models import DuplicatePair


@dataclass(frozen=True)
class Fact:
    """A line of both products' sheets."""

    name: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        """Whether the two say different things."""
        return self.a != self.b


@dataclass(frozen=True)
class PairSheet:
    """A pair with its products, and the one that is suggested to be kept."""

    pair: DuplicatePair
    a: Product
    b: Product
    kept_id: int

    @property
    def facts(self) -> list[Fact]:
        """What the two are, line by line."""
        lines = [
            ("Item id", "item_id"),
            ("Category", "category"),
            ("Gender", "gender"),
            ("Colour", "color"),
            ("Season", "season"),
            ("Year", "year"),
            ("Price", "price"),
            ("In the catalogue since", "created_at"),
            ("Photos", "n_photos"),
            ("Popularity", "n_bought"),
            ("Pieces in stock", "n_pieces"),
        ]
        return [Fact(name, _shown(self.a, field), _shown(self.b, field)) for name, field in lines]


def pair_sheet(pair: DuplicatePair, kept_id: int | None = None) -> PairSheet:
    """The pair as it is shown; suggests the more popular one, else the older. Two queries."""
    pieces = Stock.objects.filter(product=OuterRef("pk")).order_by().values("product")
    products = Product.objects.with_details().select_related("category", "popularity")
    rows = products.annotate(
        pieces=Subquery(pieces.annotate(n=Sum("quantity")).values("n"))
    ).in_bulk([pair.a_id, pair.b_id])
    a, b = rows[pair.a_id], rows[pair.b_id]
    for product in (a, b):
        product.n_photos = len(product.images.all())
        product.n_bought = product.popularity.popularity
        product.n_pieces = product.pieces or 0
    if kept_id not in rows:
        kept_id = b.pk if (b.n_bought, b.n_photos) > (a.n_bought, a.n_photos) else a.pk
    return PairSheet(pair, a, b, kept_id)


def with_products(pairs: QuerySet[DuplicatePair]) -> QuerySet[DuplicatePair]:
    """Pairs with both products and their photos, for a list. Three queries."""
    return pairs.select_related("a", "b").prefetch_related("a__images", "b__images")


def _shown(product: Product, field: str) -> str:
    value = getattr(product, field)
    if field == "created_at":
        return f"{value:%Y-%m-%d}"
    if isinstance(value, int) and field != "year":
        return f"{value:,}"
    return "-" if value in (None, "") else str(value)
