"""The relevance of candidates for one shopper, in one SQL statement.

    relevance(v | a, t) =
        w_v cos(e_a, e_v) + w_p (1 - |NormPop(v) - t|^gamma) + w_c CatSim(c_a, c_v)

Source: the trend-aware recommendation paper that the README names, with the raw cosine (its public
code normalises similarities per purchase) and, so that an odd gamma works too, the power of the
absolute difference. Both candidate paths share the statement and so the exact formula; they differ
only in which products it sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connection, transaction

from embeddings.neighbours import MAX_EF_SEARCH, neighbour_streams, set_ef_search
from recommender.ranking import RankingSettings

Path = Literal["exact", "index"]

# Per purchase and gender from the vector index, and per shopper on either side of t: with 512
# dimensions, 200 and 100 were measured to find .985 of the exact top five among a million products.
N_NEIGHBOURS = 200
N_TRENDING = 100


@dataclass(frozen=True)
class Query:
    """Whom to rank for: trendiness, the products to compare with, and which candidates count."""

    trendiness: float
    purchase_ids: Sequence[int]
    product_ids: Sequence[int]  # bought in those purchases, in the same order
    excluded_product_ids: Sequence[int]
    genders: Sequence[str]
    store_ids: Sequence[int] | None = None  # None: whether or not it is in stock anywhere


@dataclass(frozen=True)
class Terms:
    """The weighted terms, which add up to the relevance, and the similarities in them."""

    visual: float
    popularity: float
    category: float
    visual_similarity: float
    category_similarity: float

    @property
    def relevance(self) -> float:
        """The sum of the weighted terms."""
        return self.visual + self.popularity + self.category


@dataclass(frozen=True)
class RankedProduct:
    """A candidate that made the top k of one purchase (or, without purchases, of the shopper)."""

    purchase_id: int | None
    product_id: int
    normalized_popularity: float
    terms: Terms


# NormPop's range: the active catalogue. Two ends of the popularity index, not a scan.
BOUNDS = """
    bounds AS MATERIALIZED (
        SELECT
            (SELECT p.popularity FROM shoppers_productpopularity p
             JOIN catalog_product c ON c.id = p.product_id AND c.is_active
             ORDER BY p.popularity, p.product_id LIMIT 1)::float8 AS low,
            (SELECT p.popularity FROM shoppers_productpopularity p
             JOIN catalog_product c ON c.id = p.product_id AND c.is_active
             ORDER BY p.popularity DESC, p.product_id DESC LIMIT 1)::float8 AS high
    )"""

NORMALIZED_POPULARITY = """
    CASE WHEN bounds.high > bounds.low
         THEN (p.popularity - bounds.low) / (bounds.high - bounds.low) ELSE 0 END"""

POPULARITY_TERM = """
    %(weight_popularity)s::float8 * (1 - power(
        abs({row}.normalized_popularity - %(trendiness)s::float8), %(penalty_exponent)s::float8
    ))"""

ALLOWED = """
    v.backbone_id = {backbone_id} AND v.is_active
    AND v.gender = ANY(%(genders)s) AND v.product_id <> ALL(%(excluded)s)"""

IN_STORES = """
    AND EXISTS (
        SELECT 1 FROM catalog_stock s
        WHERE s.product_id = {product_id} AND s.quantity > 0 AND s.store_id = ANY(%(stores)s)
    )"""

RANK_FOR_PURCHASES = """
WITH {bounds},
history AS MATERIALIZED (
    SELECT
        h.purchase_id,
        v.vector::halfvec({dimension}) AS vector,
        -- CatSim by category key: a look-up in an array instead of a join, which the planner, not
        -- knowing how few categories there are, turns into a scan per category.
        (SELECT array_agg(COALESCE(pair.similarity, 0) ORDER BY key)
         FROM generate_series(1, (SELECT max(id) FROM catalog_category)) AS key
         LEFT JOIN catalog_categorypair pair ON pair.a_id = c.category_id AND pair.b_id = key
        ) AS category_similarities
    FROM unnest(%(purchase_ids)s::bigint[], %(product_ids)s::bigint[])
        AS h (purchase_id, product_id)
    JOIN catalog_product c ON c.id = h.product_id
    LEFT JOIN embeddings_productvector v
        ON v.product_id = h.product_id AND v.backbone_id = {backbone_id}
){streams}
SELECT
    history.purchase_id, best.product_id, best.normalized_popularity,
    %(weight_visual)s::float8 * best.visual_similarity AS visual,
    {popularity_term_of_best} AS popularity,
    %(weight_category)s::float8 * best.category_similarity AS category,
    best.visual_similarity, best.category_similarity
FROM history CROSS JOIN bounds CROSS JOIN LATERAL (
    SELECT
        candidate.*,
        %(weight_visual)s::float8 * candidate.visual_similarity
            + {popularity_term_of_candidate}
            + %(weight_category)s::float8 * candidate.category_similarity AS relevance
    FROM (
        SELECT
            v.product_id,
            COALESCE(1 - (v.vector::halfvec({dimension}) <=> history.vector), 0)
                AS visual_similarity,
            {normalized_popularity} AS normalized_popularity,
            history.category_similarities[v.category_id] AS category_similarity
        FROM {source}
        JOIN shoppers_productpopularity p ON p.product_id = v.product_id
        WHERE {allowed}
        OFFSET 0  -- a fence: merged into the outer query, each cosine was computed three times
    ) AS candidate
    ORDER BY relevance DESC, candidate.product_id
    LIMIT %(k)s
) AS best
ORDER BY history.purchase_id, best.relevance DESC, best.product_id
"""

# Products whose popularity lies nearest to the shopper's t, on either side; an integer bound, so
# that both are range scans of the popularity index.
TREND_STREAM = """,
target AS MATERIALIZED (
    SELECT ceil(low + %(trendiness)s::float8 * (high - low))::int AS popularity FROM bounds
),
trending AS MATERIALIZED (
    (SELECT v.product_id FROM shoppers_productpopularity p
     JOIN embeddings_productvector v ON v.product_id = p.product_id
     WHERE {allowed} AND p.popularity >= (SELECT popularity FROM target)
     ORDER BY p.popularity, p.product_id LIMIT {n_trending})
    UNION ALL
    (SELECT v.product_id FROM shoppers_productpopularity p
     JOIN embeddings_productvector v ON v.product_id = p.product_id
     WHERE {allowed} AND p.popularity < (SELECT popularity FROM target)
     ORDER BY p.popularity DESC, p.product_id DESC LIMIT {n_trending})
)"""

INDEX_CANDIDATES = """(
            SELECT product_id FROM ({neighbours}) AS neighbour
            UNION SELECT product_id FROM trending
        ) AS found JOIN embeddings_productvector v ON v.product_id = found.product_id"""

RANK_BY_POPULARITY = """
WITH {bounds}
SELECT
    NULL, candidate.product_id, candidate.normalized_popularity,
    0::float8, {popularity_term}, 0::float8, 0::float8, 0::float8
FROM (
    SELECT c.id AS product_id, {normalized_popularity} AS normalized_popularity
    FROM catalog_product c
    JOIN shoppers_productpopularity p ON p.product_id = c.id
    CROSS JOIN bounds
    WHERE c.is_active AND c.gender = ANY(%(genders)s) AND c.id <> ALL(%(excluded)s){in_stores}
) AS candidate
ORDER BY abs(candidate.normalized_popularity - %(trendiness)s::float8), candidate.product_id
LIMIT %(k)s
"""


def rank_for_purchases(
    query: Query, settings: RankingSettings, *, path: Path
) -> list[RankedProduct]:
    """The top `settings.k` candidates of every purchase, best first within a purchase.

    A purchase whose product has no vector is ranked with a visual similarity of 0. Ties go to the
    smaller product key. Cost: one statement (and one setting on the index path).
    """
    sql = _statement(query, settings, path)
    with transaction.atomic(), connection.cursor() as cursor:
        if path == "index":
            set_ef_search(_n_neighbours(query))
        cursor.execute(sql, _parameters(query, settings))
        return [_ranked(row) for row in cursor.fetchall()]


def rank_by_popularity(query: Query, settings: RankingSettings, *, n: int) -> list[RankedProduct]:
    """The `n` products whose popularity suits the shopper best; for one without purchases."""
    sql = RANK_BY_POPULARITY.format(
        bounds=BOUNDS,
        popularity_term=POPULARITY_TERM.format(row="candidate"),
        normalized_popularity=NORMALIZED_POPULARITY,
        in_stores="" if query.store_ids is None else IN_STORES.format(product_id="c.id"),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, _parameters(query, settings) | {"k": n})
        return [_ranked(row) for row in cursor.fetchall()]


def _statement(query: Query, settings: RankingSettings, path: Path) -> str:
    """The SQL of `path`; only integers and names of our own enums are written into it."""
    backbone = settings.backbone
    names = {"backbone_id": int(backbone.pk), "dimension": int(backbone.dimension)}
    allowed = ALLOWED.format(**names)
    if query.store_ids is not None:
        allowed += IN_STORES.format(product_id="v.product_id")
    streams, source = "", "embeddings_productvector v"
    if path == "index":
        streams = TREND_STREAM.format(allowed=allowed, n_trending=N_TRENDING)
        neighbours = neighbour_streams(
            backbone=backbone,
            genders=query.genders,
            vector="history.vector",
            n_neighbours=_n_neighbours(query),
        )
        source = INDEX_CANDIDATES.format(neighbours=neighbours)
    return RANK_FOR_PURCHASES.format(
        bounds=BOUNDS,
        streams=streams,
        popularity_term_of_best=POPULARITY_TERM.format(row="best"),
        popularity_term_of_candidate=POPULARITY_TERM.format(row="candidate"),
        normalized_popularity=NORMALIZED_POPULARITY,
        allowed=allowed,
        source=source,
        **names,
    )


def _n_neighbours(query: Query) -> int:
    """Enough rows of an index that excluding what was bought still leaves N_NEIGHBOURS."""
    return min(N_NEIGHBOURS + len(query.excluded_product_ids), MAX_EF_SEARCH)


def _parameters(query: Query, settings: RankingSettings) -> dict[str, Any]:
    return {
        "purchase_ids": list(query.purchase_ids),
        "product_ids": list(query.product_ids),
        "excluded": list(query.excluded_product_ids),
        "genders": list(query.genders),
        "stores": None if query.store_ids is None else list(query.store_ids),
        "trendiness": query.trendiness,
        "weight_visual": settings.weight_visual,
        "weight_popularity": settings.weight_popularity,
        "weight_category": settings.weight_category,
        "penalty_exponent": settings.penalty_exponent,
        "k": settings.k,
    }


def _ranked(row: tuple[Any, ...]) -> RankedProduct:
    purchase_id, product_id, normalized_popularity, *terms = row
    return RankedProduct(purchase_id, product_id, normalized_popularity, Terms(*terms))
