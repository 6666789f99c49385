"""One catalogue to measure on, as arrays: the truth that the oracle and the database both get."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.models import Gender

GENDERS = [gender.value for gender in Gender]  # a gender's code is its position here
PURE_GENDERS = (Gender.WOMEN, Gender.MEN)


@dataclass(frozen=True)
class CatalogueData:
    """`n` products; product key = position + 1, as the benchmark restarts identities."""

    name: str  # real, crops, interpolations or clusters
    label: str  # what every output says of it
    fingerprint: str  # changes whenever any array would
    vectors: NDArray[np.float16]  # (n, dimension), L2-normalised; may be mapped from a file
    genders: NDArray[np.int8]  # (n,) codes
    categories: NDArray[np.int16]  # (n,) rows of category_names; key = row + 1
    category_names: list[str]
    category_groups: list[str]  # (n_categories,) each category's group
    prices_cents: NDArray[np.int32]  # (n,)
    bought: NDArray[np.int64]  # positions that shoppers may have bought; no interpolation's parent
    facts: dict[str, Any] = field(default_factory=dict)  # measured, for the report

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """How long each vector is."""
        return self.vectors.shape[1]

    def popularity(self, kind: str) -> NDArray[np.int32]:
        """(n,) counts: "continuous" hardly repeats, "integers" is the simulator's 0 to 100."""
        high = {"continuous": 1_000_000_000, "integers": 100}[kind]
        rng = np.random.default_rng([len(self), high])
        return rng.integers(0, high + 1, len(self), dtype=np.int32)

    def description(self) -> dict[str, Any]:
        """What a report says about the data."""
        shares = np.bincount(self.genders, minlength=len(GENDERS)) / len(self)
        return {
            "name": self.name,
            "label": self.label,
            "products": len(self),
            "dimension": self.dimension,
            "categories": len(self.category_names),
            "gender_shares": dict(zip(GENDERS, np.round(shares, 4).tolist(), strict=True)),
            "fingerprint": self.fingerprint,
            **self.facts,
        }


def prices_by_category(
    categories: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int32]:
    """(n,) cents, log-normal around a price level of each category."""
    levels = rng.uniform(np.log(1_000), np.log(20_000), int(categories.max()) + 1)
    return np.exp(levels[categories] + 0.4 * rng.standard_normal(len(categories))).astype(np.int32)
