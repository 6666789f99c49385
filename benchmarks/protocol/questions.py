"""Whom is ranked for: shoppers with a trendiness, a place and five purchases, drawn from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.catalogue_data import GENDERS, CatalogueData
from catalog.models import Gender

N_PURCHASES = 5
SHOPPER_GENDERS = {"WOMEN": 0.44, "MEN": 0.44, "UNISEX": 0.06, "GIRLS": 0.03, "BOYS": 0.03}


@dataclass(frozen=True)
class Filters:
    """What candidates must be besides of a compatible gender; None asks for nothing."""

    category: int | None = None  # row of category_names
    price_cents: tuple[int, int] | None = None  # both ends included
    stores: tuple[int, ...] | None = None  # positions; in stock in one of them


@dataclass(frozen=True)
class Question:
    """One shopper to rank for."""

    number: int
    gender: str
    trendiness: float
    bought: tuple[int, ...]  # N_PURCHASES positions, compared with and excluded
    city: int
    filters: Filters = Filters()

    @property
    def purchase_ids(self) -> list[int]:
        """A key for each purchase, of no row: ranking needs them only to tell rails apart."""
        return [N_PURCHASES * self.number + n + 1 for n in range(len(self.bought))]

    @property
    def gender_codes(self) -> list[int]:
        """Codes of the genders that the shopper may be recommended."""
        return sorted(GENDERS.index(gender) for gender in Gender(self.gender).compatible())

    def filtered(self, filters: Filters) -> "Question":
        """The same question with other filters."""
        return replace(self, filters=filters)


@dataclass(frozen=True)
class Weights:
    """w_v, w_p and w_c of the relevance."""

    visual: float
    popularity: float
    category: float

    def __str__(self) -> str:
        return f"{self.visual:g}/{self.popularity:g}/{self.category:g}"


# The paper's two pairs with and without a category term, the public code's, and two that lean on
# popularity, where neighbours alone find little or nothing.
WEIGHTS = tuple(
    Weights(*weights)
    for weights in ((0.7, 0.3, 0), (0.7, 0.2, 0.1), (0.4, 0.2, 0), (0.3, 0.7, 0), (0, 1, 0))
)
MAIN_WEIGHTS = WEIGHTS[1]


def draw_questions(
    data: CatalogueData, n_shoppers: int, n_cities: int, seed: int
) -> list[Question]:
    """`n_shoppers` shoppers who bought products of compatible genders among `data.bought`.

    Raises:
        ValueError: a gender has too few products to buy.
    """
    rng = np.random.default_rng(seed)
    genders = rng.choice(list(SHOPPER_GENDERS), n_shoppers, p=list(SHOPPER_GENDERS.values()))
    to_buy = {gender: _compatible(data, gender) for gender in np.unique(genders).tolist()}
    return [
        Question(
            number=number,
            gender=gender,
            trendiness=float(rng.random()),
            bought=tuple(rng.choice(to_buy[gender], N_PURCHASES, replace=False).tolist()),
            city=int(rng.integers(n_cities)),
        )
        for number, gender in enumerate(genders.tolist())
    ]


def _compatible(data: CatalogueData, gender: str) -> NDArray[np.int64]:
    codes = [GENDERS.index(other) for other in Gender(gender).compatible()]
    found = data.bought[np.isin(data.genders[data.bought], codes)]
    if len(found) < N_PURCHASES:
        raise ValueError(f"only {len(found)} products for {gender} shoppers: take more products")
    return found


def all_purchases(questions: Sequence[Question]) -> NDArray[np.int64]:
    """(n_shoppers, N_PURCHASES) positions."""
    return np.array([question.bought for question in questions])
