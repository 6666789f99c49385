"""What a shopper's page shows: purchases by month, what is recommended and why, stores nearby."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Max, Min

from catalog.models import Product, Store
from catalog.places import Place
from fashrec_site.workplace.shoppers.terms import Part, parts_of
from recommender.answers import Recommendation
from recommender.availability import shown_products
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from shoppers.models import ProductPopularity, Shopper

N_PURCHASES = 60  # the newest
N_RECOMMENDED = 12
N_STORES = 5


@dataclass(frozen=True)
class Bought:
    """A purchase, and how popular the product is now, from 0 to 1."""

    product: Product
    at: datetime
    normalized_popularity: float

    @property
    def place(self) -> str:
        """On a scale of 100."""
        return f"{100 * self.normalized_popularity:.1f}"


@dataclass(frozen=True)
class Month:
    """What was bought in one month, newest first."""

    first_day: datetime
    purchases: list[Bought]


@dataclass(frozen=True)
class Explained:
    """A recommended product, and its terms as parts of a bar."""

    item: Recommendation
    parts: list[Part]
    is_proven: bool


@dataclass(frozen=True)
class Answer:
    """What is recommended under the default profile."""

    settings: RankingSettings
    tier: str
    items: list[Explained]
    n_items: int


@dataclass(frozen=True)
class Overview:
    """A shopper's page."""

    n_purchases: int
    months: list[Month]
    answer: Answer | None
    place: Place | None
    stores: list[Store]  # nearest first, with `distance_km`

    @property
    def purchases(self) -> list[Bought]:
        """Those shown, newest first."""
        return [bought for month in self.months for bought in month.purchases]


def overview_of(shopper: Shopper, *, with_answer: bool = True) -> Overview:
    """Everything that the page shows. Some fifteen queries, whatever the shopper bought."""
    has_place = shopper.latitude is not None and shopper.longitude is not None
    place = Place(shopper.latitude, shopper.longitude) if has_place else None
    return Overview(
        n_purchases=shopper.purchases.count(),
        months=_months(shopper),
        answer=_answer(shopper) if with_answer else None,
        place=place,
        stores=list(Store.objects.by_distance(place)[:N_STORES]) if place else [],
    )


def _months(shopper: Shopper) -> list[Month]:
    rows = list(shopper.purchases.order_by("-purchased_at", "-id")[:N_PURCHASES])
    products = shown_products({row.product_id for row in rows}, None)
    popularity = _normalized_popularity(products)
    bought = (
        Bought(products[row.product_id].product, row.purchased_at, popularity[row.product_id])
        for row in rows
    )
    by_month = groupby(bought, key=lambda b: (b.at.year, b.at.month))
    return [Month(found[0].at, found) for _, group in by_month if (found := list(group))]


def _normalized_popularity(product_ids: Iterable[int]) -> dict[int, float]:
    """NormPop of each product: min-max over the active catalogue, 0 where all are equal."""
    counters = ProductPopularity.objects
    ends = counters.filter(is_active=True).aggregate(low=Min("popularity"), high=Max("popularity"))
    low, span = ends["low"] or 0, (ends["high"] or 0) - (ends["low"] or 0)
    rows = counters.filter(pk__in=list(product_ids)).values_list("pk", "popularity")
    return {pk: min(1.0, max(0.0, (n - low) / span)) if span else 0.0 for pk, n in rows}


def _answer(shopper: Shopper) -> Answer:
    """The real answer, without a trace: a look by a curator is no recommendation given."""
    with transaction.atomic():
        settings = RankingSettings.from_profile(default_profile())
        given = recommend(shopper=shopper, settings=settings)
        transaction.set_rollback(True)
    scale = max((item.relevance for item in given.items), default=1.0)
    proven = {rail.because.key for rail in given.rails if rail.proven}
    return Answer(
        settings=settings,
        tier=given.tier,
        items=[
            Explained(item, parts_of(item.terms, scale), _is_proven(item, proven))
            for item in given.items[:N_RECOMMENDED]
        ],
        n_items=len(given.items),
    )


def _is_proven(item: Recommendation, proven: set[int]) -> bool:
    return item.because is not None and item.because.key in proven
