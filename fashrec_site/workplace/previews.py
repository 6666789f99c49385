"""What a change would do: the top recommendations before and after it, by the real ranking.

The change is made, asked about and rolled back; there is no second formula.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from catalog.models import Category, Product
from recommender.answers import Rail
from recommender.merchandising.rules import holding_rules
from recommender.ranking import RankingSettings
from recommender.related import related_by_relevance
from recommender.relevance import Terms
from recommender.services import recommend
from shoppers.models import Shopper

N_SHOWN = 5


@dataclass(frozen=True)
class Shown:
    """A recommended product, its terms, and what became of it on the other side."""

    rank: int
    product: Product
    terms: Terms
    pinned: bool = False  # the shop gave it this place, whatever its relevance
    move: str = ""  # "new", "gone", "up 2", "down 1", or nothing

    @property
    def bars(self) -> list[tuple[str, float]]:
        """The terms by name; they add up to the relevance."""
        bars = [
            ("Looks", self.terms.visual),
            ("Popularity", self.terms.popularity),
            ("Category", self.terms.category),
        ]
        others = [("Nearness", self.terms.proximity), ("The shop", self.terms.merchandising)]
        return bars + [(name, value) for name, value in others if value]


@dataclass(frozen=True)
class Comparison:
    """The top products before and after a change."""

    before: list[Shown]
    after: list[Shown]
    is_elsewhere: bool = False  # it is about a category whose rail the subject does not have

    @property
    def is_same(self) -> bool:
        """Whether the change changes neither order nor relevance."""
        return _essence(self.before) == _essence(self.after)


@dataclass(frozen=True)
class _Look:
    """Whose list is compared, and which of it."""

    subject: Shopper | Product
    category: Category | None  # of the rail; None: of the merged list
    n_shown: int


def compare(
    subject: Shopper | Product,
    *,
    before: RankingSettings,
    after: RankingSettings,
    change: Callable[[], object] | None = None,
    category: Category | None = None,
    n_shown: int = N_SHOWN,
) -> Comparison:
    """The subject's first products under each settings, the second after `change`; nothing stays.

    Args:
        subject: a shopper, or a product beside which others are recommended.
        before: what ranks first.
        after: what ranks then.
        change: what is done in between.
        category: show a shopper's rail beside a product of it, in place of the merged list.
        n_shown: how many products.

    Raises:
        Whatever `change` raises.
    """
    look = _Look(subject, category, n_shown)
    with transaction.atomic():
        first, is_there = _top(look, before)
        if change:
            change()
        second, _ = _top(look, after)
        transaction.set_rollback(True)  # the change, and the log of both answers
    return Comparison(_moved(first, second, "gone"), _moved(second, first, "new"), not is_there)


def find_subject(kind: str, name: str) -> Shopper | Product | None:
    """The shopper or product whom a preview is for; None where there is none."""
    name = name.strip().replace("\0", "")
    if kind == "product":
        return Product.objects.named([name]).first()
    return Shopper.objects.filter(external_id=name).first()


def _top(look: _Look, settings: RankingSettings) -> tuple[list[Shown], bool]:
    """The first products, and whether they are of the list that was asked for."""
    if isinstance(look.subject, Product):
        return _top_for_product(look, settings), True
    answer = recommend(shopper=look.subject, settings=settings)
    rail = _rail_of(answer.rails, look.category)
    items = rail.items if rail else answer.items
    shown = [
        Shown(rank, item.product, item.terms, item.pinned)
        for rank, item in enumerate(items[: look.n_shown], start=1)
    ]
    return shown, look.category is None or rail is not None


def _rail_of(rails: Sequence[Rail], category: Category | None) -> Rail | None:
    of_category = (rail for rail in rails if rail.because.product.category_id == category.pk)
    return next(of_category, None) if category else None


def _top_for_product(look: _Look, settings: RankingSettings) -> list[Shown]:
    """As if a shopper of middling trendiness had bought nothing but this product."""
    found = related_by_relevance(
        product=look.subject,
        settings=settings.with_changes(k=look.n_shown),
        rules=holding_rules(),
    )
    products = Product.objects.with_details().in_bulk([item.product_id for item in found])
    return [
        Shown(rank, products[item.product_id], item.terms, item.pinned)
        for rank, item in enumerate(found, start=1)
        if item.product_id in products
    ]


def _moved(these: list[Shown], others: list[Shown], word: str) -> list[Shown]:
    """With each product's move from the list before to the list after."""
    ranks = {other.product.pk: other.rank for other in others}
    return [replace(item, move=_move(item, ranks.get(item.product.pk), word)) for item in these]


def _move(item: Shown, other_rank: int | None, word: str) -> str:
    if other_rank is None:
        return word
    if word == "gone" or other_rank == item.rank:
        return ""
    distance = other_rank - item.rank
    return f"up {distance}" if distance > 0 else f"down {-distance}"


def _essence(items: list[Shown]) -> list[tuple[int, float]]:
    return [(item.product.pk, round(item.terms.relevance, 9)) for item in items]
