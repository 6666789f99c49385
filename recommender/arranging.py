"""From rankings to lists: explained, chosen, merged, and with pins in their places."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.places import Place
from recommender.answers import Because, Rail, Recommendation, merged
from recommender.availability import shown_products
from recommender.choosing import (
    Choice,
    Pools,
    by_marginal_relevance,
    by_relevance,
    pools_of,
)
from recommender.history import Act
from recommender.merchandising.pins import with_pins
from recommender.merchandising.rules import Rules
from recommender.ranking import RankingSettings
from recommender.relevance import RankedProduct

N_POPULAR = 50  # items of the POPULAR tier, which has no purchases to multiply k by


@dataclass(frozen=True)
class Arrangement:
    """How lists are made of what was ranked."""

    settings: RankingSettings
    rules: Rules  # the shop's
    listed_category_id: int | None  # where just one was asked for
    origin: Place | None  # distances are measured from here
    diversity: float  # 0 to 1

    def lists(
        self,
        acts: Sequence[Act],
        ranked: Sequence[RankedProduct],
        pinned: Sequence[RankedProduct],
        proven: frozenset[int],
    ) -> tuple[list[Rail], list[Recommendation]]:
        """A rail for each act, and what all have in one list; without acts only that.

        Cost: one statement, and one where diversity counts.

        Args:
            acts: what candidates were compared with.
            ranked: the candidates, most relevant first for each act.
            pinned: products that rules may place, ranked likewise.
            proven: keys of the acts whose ranking is.
        """
        pools, placeable = self._pools(acts, [ranked, pinned])
        choose = self._choice(pools)
        chosen = {of: choose(pool, self.settings.k) for of, pool in pools.items() if of}
        together = merged([item for rail in chosen.values() for item in rail])
        items = choose(together, None) or choose(pools.get(None, []), N_POPULAR)
        pins = self.rules.pins_of_list(self.listed_category_id)
        anywhere = merged([item for pool in placeable.values() for item in pool])
        items = with_pins(items, pins, anywhere, None if chosen else N_POPULAR)
        return [self._rail(of, chosen[of], placeable[of], proven) for of in chosen], items

    def _pools(
        self, acts: Sequence[Act], rankings: Sequence[Sequence[RankedProduct]]
    ) -> list[Pools]:
        """The pools of each ranking; the products of all are read at once."""
        rows = [row for ranking in rankings for row in ranking]
        shown = shown_products({row.product_id for row in [*rows, *acts]}, self.origin)
        return [pools_of(acts, ranking, shown) for ranking in rankings]

    def _choice(self, pools: Pools) -> Choice:
        if not self.diversity:
            return by_relevance
        return by_marginal_relevance(pools, self.settings, self.diversity)

    def _rail(
        self,
        because: Because,
        items: Sequence[Recommendation],
        placeable: Sequence[Recommendation],
        proven: frozenset[int],
    ) -> Rail:
        """With what is pinned beside products of its category."""
        pins = self.rules.pins_of_category(because.product.category_id)
        is_proven = because.key in proven and not self.diversity
        return Rail(because, with_pins(items, pins, placeable, self.settings.k), is_proven)
