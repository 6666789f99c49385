"""Who answers: our two paths here, and beside them what `benchmarks.rivals` offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.datasets.catalogue_data import GENDERS
from benchmarks.protocol.questions import Question, Weights
from embeddings.models import Backbone
from recommender.candidates import StreamSizes
from recommender.ranking import RankingSettings
from recommender.relevance import Query
from recommender.retrieval import Path, Ranking, rank_for_purchases


@dataclass(frozen=True)
class Answer:
    """Per purchase, in the question's order, (product key, relevance), best first."""

    rails: Sequence[Sequence[tuple[int, float]]]
    n_statements: int | None = None
    n_proven: int | None = None  # rails that are proven to be exact
    was_widened: bool = False


class Contender(Protocol):
    """A way to answer, ready to be asked."""

    name: str

    def ask(self, question: Question, weights: Weights) -> Answer:
        """The top five of each purchase."""


@dataclass(frozen=True)
class ServingPath:
    """Our own service, by one of its two candidate paths."""

    name: str
    backbone: Backbone
    path: Path | None  # None: as the service chooses
    k: int = 5
    start: StreamSizes | None = None  # instead of the service's, to tune them

    def ask(self, question: Question, weights: Weights) -> Answer:
        """Through the function that the GraphQL layer's service calls."""
        query, settings = query_of(question), self._settings(weights)
        ranking = rank_for_purchases(query, settings, path=self.path, start=self.start)
        return _answer(query, ranking)

    def _settings(self, weights: Weights) -> RankingSettings:
        return RankingSettings(
            profile_name="benchmark",
            weight_visual=weights.visual,
            weight_popularity=weights.popularity,
            weight_category=weights.category,
            penalty_exponent=2.0,
            k=self.k,
            filter_gender=True,
            backbone=self.backbone,
        )


def query_of(question: Question) -> Query:
    """The question in the service's terms; filters that are not asked for are left out."""
    filters = question.filters
    wanted: dict[str, Any] = {}
    if filters.category is not None:
        wanted["category_ids"] = [filters.category + 1]
    if filters.price_cents is not None:
        low, high = filters.price_cents
        wanted["price_range"] = (low / 100, high / 100)
    if filters.stores is not None:
        wanted["store_ids"] = [store + 1 for store in filters.stores]
    keys = [position + 1 for position in question.bought]
    return Query(
        trendiness=question.trendiness,
        purchase_ids=question.purchase_ids,
        product_ids=keys,
        excluded_product_ids=keys,
        genders=[GENDERS[code] for code in question.gender_codes],
        **wanted,
    )


def _answer(query: Query, ranking: Ranking) -> Answer:
    """The one place that knows what the service returns."""
    rails: dict[int, list[tuple[int, float]]] = {key: [] for key in query.purchase_ids}
    for row in ranking.rows:
        rails[row.purchase_id].append((row.product_id, row.terms.relevance))
    return Answer(
        rails=list(rails.values()),
        n_statements=ranking.n_statements,
        n_proven=len(ranking.proven),
        was_widened=ranking.n_statements > 1,
    )
