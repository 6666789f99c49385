"""What all ways to candidates share: the history, and full vectors that rank a short list.

Candidates are found by search vectors, which are short and lie in the row; only the best of them,
the short list, are ranked by `recommender.formula` on full vectors.
"""

from dataclasses import dataclass
from math import inf

from embeddings.indexes import SearchIndexes
from recommender.formula import CATEGORY_SIMILARITIES, PURCHASES, columns_of, relevance_of
from recommender.ranking import RankingSettings
from recommender.relevance import RankedProduct

HISTORY = """history AS MATERIALIZED (
    SELECT
        h.position, h.purchase_id, c.category_id, s.vector::halfvec({search_dimension}) AS vector,
        v.vector::halfvec({dimension}) AS full_vector,
        {category_similarities}
    FROM {after}{purchases}
    LEFT JOIN embeddings_productvector v
        ON v.product_id = h.product_id AND v.backbone_id = {backbone_id}
    LEFT JOIN embeddings_searchvector s
        ON s.product_id = h.product_id AND s.projection_id = {projection_id}
)"""

# All distances of a row while it is at hand: a vector has a kilobyte, and rows lie far apart.
DISTANCE = """
            COALESCE(p.vector::halfvec({search_dimension}) <=> (
                SELECT vector FROM history WHERE position = {position}
            ), 1)"""

BEST_OF_SHORT_LIST = """(
    SELECT exact.* FROM (
    SELECT
        short.product_id, short.normalized_popularity, short.category_similarity,
        short.proximity, short.merchandising,
        COALESCE(1 - (v.vector::halfvec({dimension}) <=> history.full_vector), 0)
            AS visual_similarity,
        min(short.relevance) OVER () AS least_short, count(*) OVER () AS n_short
    FROM (
        SELECT candidate.* FROM ({candidates}) AS candidate
        ORDER BY candidate.relevance DESC, candidate.product_id
        LIMIT {n_short}
    ) AS short
    JOIN embeddings_productvector v
        ON v.product_id = short.product_id AND v.backbone_id = {backbone_id}
    OFFSET 0  -- a fence, so that each cosine is computed once
    ) AS exact
    ORDER BY {relevance} DESC, exact.product_id
    LIMIT {k}
)"""


@dataclass(frozen=True)
class Rail:
    """One purchase's top k of the candidates, best first, and what bounds all other products."""

    rows: list[RankedProduct]
    threshold: float  # the relevance that no product left out exceeds; -inf: there is none
    cosine_decline: float = 0.0  # by how much the cosine fell over most of the neighbours read

    def slack(self, settings: RankingSettings) -> float:
        """The least relevance in the rail minus the threshold.

        The rail is proven where it is not negative, up to the index's own recall.
        """
        least = self.rows[-1].terms.relevance if len(self.rows) == settings.k else -1e9
        return least - self.threshold

    def is_unfilled(self, settings: RankingSettings) -> bool:
        """Whether products that were not looked at could fill it."""
        return len(self.rows) < settings.k and self.threshold > -inf


def history(settings: RankingSettings, indexes: SearchIndexes, *, after: str = "") -> str:
    """SQL of `history`: a row per purchase with its vectors and its category's similarities.

    Args:
        settings: the backbone.
        indexes: the projection.
        after: a WITH query of one row that must have run before.
    """
    return HISTORY.format(
        category_similarities=CATEGORY_SIMILARITIES,
        purchases=PURCHASES,
        after=f"{after} CROSS JOIN " if after else "",
        projection_id=indexes.projection_id,
        search_dimension=indexes.dimension,
        backbone_id=int(settings.backbone.pk),
        dimension=int(settings.backbone.dimension),
    )


def distances(n_purchases: int, dimension: int) -> str:
    """SQL of a search vector's cosine distances from each purchase, by `history.position`.

    Args:
        n_purchases: how many there are.
        dimension: of the search vector of the row `p`.
    """
    return ",".join(
        DISTANCE.format(search_dimension=dimension, position=position)
        for position in range(1, n_purchases + 1)
    )


def best_of_short_list(settings: RankingSettings, candidates: str, n_short: int) -> str:
    """SQL of a purchase's top k, to be joined laterally to `history`.

    Args:
        settings: backbone and k.
        candidates: SQL of (product_id, normalized_popularity, category_similarity, proximity,
            merchandising, relevance by search vectors), each product once.
        n_short: how many of them, by their search vectors, the full vectors rank.
    """
    return BEST_OF_SHORT_LIST.format(
        candidates=candidates,
        relevance=relevance_of("exact"),
        backbone_id=int(settings.backbone.pk),
        dimension=int(settings.backbone.dimension),
        n_short=int(n_short),
        k=int(settings.k),
    )


def terms_of_best() -> str:
    """SQL of the columns that `recommender.relevance.ranked` reads."""
    return f"history.purchase_id, {columns_of('best')}"
