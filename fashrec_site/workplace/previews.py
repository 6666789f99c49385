"""What a change would do: the top recommendations before and after it, by the real ranking.

The change is made, asked about and rolled back; there is no second formula.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from catalog.models import Gender, Product
from recommender.ranking import RankingSettings
from recommender.related import NEUTRAL_TRENDINESS
from recommender.relevance import Query, Terms
from recommender.retrieval import rank_for_purchases
from recommender.services import recommend
from shoppers.models import Shopper

N_SHOWN = 5


@dataclass(frozen=True)
class Shown:
    """A recommended product, its terms, and what became of it on the other side."""

    rank: int
    product: Product
    terms: Terms
    move: str = ""  # "new", "gone", "up 2", "down 1", or nothing

    @property
    def bars(self) -> list[tuple[str, float]]:
        """The terms by name; they add up to the relevance."""
        bars = [
            ("Looks", self.terms.visual),
            ("Popularity", self.terms.popularity),
            ("Category", self.terms.category),
        ]
        return bars + ([("Nearness", self.terms.proximity)] if self.terms.proximity else [])


@dataclass(frozen=True)
class Comparison:
    """The top products before and after a change."""

    before: list[Shown]
    after: list[Shown]

    @property
    def is_same(self) -> bool:
        """Whether the change changes neither order nor relevance."""
        return _essence(self.before) == _essence(self.after)


def compare(
    subject: Shopper | Product,
    *,
    before: RankingSettings,
    after: RankingSettings,
    change: Callable[[], object] | None = None,
) -> Comparison:
    """The subject's top five under each settings, the second after `change`; nothing stays.

    Raises:
        Whatever `change` raises.
    """
    with transaction.atomic():
        first = _top(subject, before)
        if change:
            change()
        second = _top(subject, after)
        transaction.set_rollback(True)  # the change, and the log of both answers
    return Comparison(_moved(first, second, "gone"), _moved(second, first, "new"))


def find_subject(kind: str, name: str) -> Shopper | Product | None:
    """The shopper or product whom a preview is for; None where there is none."""
    name = name.strip().replace("\0", "")
    if kind == "product":
        return Product.objects.named([name]).first()
    return Shopper.objects.filter(external_id=name).first()


def _top(subject: Shopper | Product, settings: RankingSettings) -> list[Shown]:
    if isinstance(subject, Shopper):
        items = recommend(shopper=subject, settings=settings).items[:N_SHOWN]
        return [Shown(rank, item.product, item.terms) for rank, item in enumerate(items, start=1)]
    return _top_for_product(subject, settings)


def _top_for_product(product: Product, settings: RankingSettings) -> list[Shown]:
    """As if a shopper of middling trendiness had bought nothing but this product."""
    if settings.backbone is None:
        return []
    genders = Gender(product.gender).compatible() if settings.filter_gender else Gender
    query = Query(
        trendiness=NEUTRAL_TRENDINESS,
        purchase_ids=[product.pk],
        product_ids=[product.pk],
        excluded_product_ids=[product.pk],
        genders=sorted(gender.value for gender in genders),
    )
    rows = rank_for_purchases(query, settings.with_changes(k=N_SHOWN)).rows
    products = Product.objects.with_details().in_bulk([row.product_id for row in rows])
    return [
        Shown(rank, products[row.product_id], row.terms)
        for rank, row in enumerate(rows, start=1)
        if row.product_id in products
    ]


def _moved(these: list[Shown], others: list[Shown], word: str) -> list[Shown]:
    """With each product's move from the list before to the list after."""
    ranks = {other.product.pk: other.rank for other in others}
    return [
        Shown(item.rank, item.product, item.terms, _move(item, ranks.get(item.product.pk), word))
        for item in these
    ]


def _move(item: Shown, other_rank: int | None, word: str) -> str:
    if other_rank is None:
        return word
    if word == "gone" or other_rank == item.rank:
        return ""
    distance = other_rank - item.rank
    return f"up {distance}" if distance > 0 else f"down {-distance}"


def _essence(items: list[Shown]) -> list[tuple[int, float]]:
    return [(item.product.pk, round(item.terms.relevance, 9)) for item in items]
