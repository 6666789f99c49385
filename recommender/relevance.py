"""The relevance of candidates for one shopper: its nouns, its SQL, and the exact ranking.

    relevance(v | a, t) =
        w_v cos(e_a, e_v) + w_p (1 - |NormPop(v) - t|^gamma) + w_c CatSim(c_a, c_v)
        + w_d proximity(v)

The last term is ours, and 0 unless a weight is given (`recommender.proximity`).

Source: the trend-aware recommendation paper that the README names, with the raw cosine (its public
code normalises similarities per purchase) and, so that an odd gamma works too, the power of the
absolute difference. `recommender.candidates` shares the formula; it differs only in which products
it sees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from catalog.database import reading_connection
from catalog.models import Gender
from recommender.ranking import RankingSettings


@dataclass(frozen=True)
class Subquery:
    """SQL of a subquery, and the values that it names."""

    sql: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """Whom to rank for: trendiness, the products to compare with, and which candidates count."""

    trendiness: float
    purchase_ids: Sequence[int]
    product_ids: Sequence[int]  # bought in those purchases, in the same order
    excluded_product_ids: Sequence[int]
    genders: Sequence[str]
    category_ids: Sequence[int] | None = None  # None: of any category
    price_range: tuple[float, float] | None = None  # both ends count; None: at any or no price
    store_ids: Sequence[int] | None = None  # in stock in one of them; None: anywhere or nowhere
    selection: Subquery | None = None  # of product keys: whatever else must hold; None: nothing
    proximities: Subquery | None = None  # of stores' (id, proximity); None: near to nobody

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the genders limits the candidates."""
        filters = (self.category_ids, self.price_range, self.store_ids, self.selection)
        return any(given is not None for given in filters)

    def only(self, purchase_ids: set[int]) -> Self:
        """The same question about some of the purchases."""
        kept = [
            pair
            for pair in zip(self.purchase_ids, self.product_ids, strict=True)
            if pair[0] in purchase_ids
        ]
        return replace(
            self, purchase_ids=[pair[0] for pair in kept], product_ids=[pair[1] for pair in kept]
        )


@dataclass(frozen=True)
class Terms:
    """The weighted terms, which add up to the relevance, and the similarities in them."""

    visual: float
    popularity: float
    category: float
    visual_similarity: float
    category_similarity: float
    proximity: float = 0.0
    store_proximity: float = 0.0

    @property
    def relevance(self) -> float:
        """The sum of the weighted terms."""
        return self.visual + self.popularity + self.category + self.proximity


@dataclass(frozen=True)
class RankedProduct:
    """A candidate that made the top k of one purchase (or, without purchases, of the shopper)."""

    purchase_id: int | None
    product_id: int
    normalized_popularity: float
    terms: Terms


# NormPop's range: the active catalogue. The ends of each gender's trend index, not a scan.
END = """(SELECT popularity FROM shoppers_productpopularity
                WHERE gender = '{gender}' AND is_active ORDER BY popularity {order} LIMIT 1)"""
BOUNDS = """
    bounds AS MATERIALIZED (
        SELECT
            LEAST({lows})::float8 AS low,
            GREATEST({highs})::float8 AS high
    )""".format(
    lows=", ".join(END.format(gender=gender.value, order="ASC") for gender in Gender),
    highs=", ".join(END.format(gender=gender.value, order="DESC") for gender in Gender),
)

NORMALIZED_POPULARITY = """
    CASE WHEN bounds.high > bounds.low
         THEN (p.popularity - bounds.low) / (bounds.high - bounds.low) ELSE 0 END"""

# PostgreSQL's power() fails where a double underflows: 1e-15 to the largest exponent does not.
POPULARITY_PENALTY = """power(
        CASE WHEN {distance} < 1e-15 THEN 0 ELSE {distance} END, %(penalty_exponent)s::float8
    )"""
POPULARITY_TERM = f"""
    %(weight_popularity)s::float8 * (1 - {
    POPULARITY_PENALTY.format(distance="abs({row}.normalized_popularity - %(trendiness)s::float8)")
})"""

# CatSim by category key: a look-up in an array instead of a join, which the planner, not knowing
# how few categories there are, turns into a scan per category.
CATEGORY_SIMILARITIES = """(
        SELECT array_agg(COALESCE(pair.similarity, 0) ORDER BY key)
        FROM generate_series(1, (SELECT max(id) FROM catalog_category)) AS key
        LEFT JOIN catalog_categorypair pair ON pair.a_id = c.category_id AND pair.b_id = key
    ) AS category_similarities"""

PURCHASES = """unnest(%(purchase_ids)s::bigint[], %(product_ids)s::bigint[])
        AS h (purchase_id, product_id)
    JOIN catalog_product c ON c.id = h.product_id"""

# One side of t, outwards: an index scan per gender, ties by ascending product key.
TREND_SIDE = """
        (SELECT {side} AS side, p.product_id, p.popularity FROM shoppers_productpopularity p{join}
         WHERE p.gender = '{gender}' AND p.is_active
            AND p.popularity {comparison} (SELECT popularity FROM target){filters}
         ORDER BY p.popularity {order}, p.product_id LIMIT {n})"""

# Products whose popularity lies nearest to the shopper's t, on either side; an integer bound, so
# that both are range scans of the trend indexes.
TREND_STREAMS = """,
target AS MATERIALIZED (
    SELECT ceil(low + %(trendiness)s::float8 * (high - low))::int AS popularity FROM bounds
),
trending AS MATERIALIZED (
    (SELECT * FROM ({above}) AS above
     ORDER BY popularity, product_id LIMIT {n})
    UNION ALL
    (SELECT * FROM ({below}) AS below
     ORDER BY popularity DESC, product_id LIMIT {n})
)"""

IN_CATEGORIES = "\n    AND {row}.category_id = ANY(%(category_ids)s::bigint[])"
IN_PRICE_RANGE = (
    "\n    AND {row}.price BETWEEN %(lowest_price)s::numeric AND %(highest_price)s::numeric"
)
OF_PRODUCT = """
    AND EXISTS (SELECT 1 FROM catalog_product c WHERE c.id = {row}.product_id{conditions})"""
IN_STORES = """
    AND EXISTS (
        SELECT 1 FROM catalog_stock s WHERE s.product_id = {row}.product_id AND s.quantity > 0
            AND s.store_id = ANY(%(store_ids)s::bigint[])
    )"""
NOT_EXCLUDED = "\n    AND {row}.product_id <> ALL(%(excluded)s::bigint[])"

# A product's proximity is that of the nearest store that has it.
NEAR_STOCK = """,
near_store AS MATERIALIZED ({proximities}),
near_stock AS MATERIALIZED (
    SELECT s.product_id, max(near_store.proximity) AS proximity
    FROM catalog_stock s JOIN near_store ON near_store.id = s.store_id
    WHERE s.quantity > 0 GROUP BY s.product_id
)"""
JOIN_NEAR_STOCK = "\n        LEFT JOIN near_stock ON near_stock.product_id = p.product_id"

RANK_FOR_PURCHASES = """
WITH {bounds}{near_stock},
history AS MATERIALIZED (
    SELECT h.purchase_id, v.vector::halfvec({dimension}) AS vector, {category_similarities}
    FROM {purchases}
    LEFT JOIN embeddings_productvector v
        ON v.product_id = h.product_id AND v.backbone_id = {backbone_id}
)
SELECT
    history.purchase_id, best.product_id, best.normalized_popularity,
    %(weight_visual)s::float8 * best.visual_similarity AS visual,
    {popularity_term_of_best} AS popularity,
    %(weight_category)s::float8 * best.category_similarity AS category,
    best.visual_similarity, best.category_similarity,
    %(weight_proximity)s::float8 * best.proximity AS proximity, best.proximity
FROM history CROSS JOIN bounds CROSS JOIN LATERAL (
    SELECT
        candidate.*,
        %(weight_visual)s::float8 * candidate.visual_similarity
            + {popularity_term_of_candidate}
            + %(weight_category)s::float8 * candidate.category_similarity
            + %(weight_proximity)s::float8 * candidate.proximity AS relevance
    FROM (
        SELECT
            v.product_id,
            COALESCE(1 - (v.vector::halfvec({dimension}) <=> history.vector), 0)
                AS visual_similarity,
            {normalized_popularity} AS normalized_popularity,
            history.category_similarities[v.category_id] AS category_similarity,
            {proximity} AS proximity
        FROM embeddings_productvector v
        JOIN shoppers_productpopularity p ON p.product_id = v.product_id{join_near_stock}
        WHERE v.backbone_id = {backbone_id} AND v.is_active
            AND v.gender = ANY(%(genders)s::text[]){filters}
        OFFSET 0  -- a fence: merged into the outer query, each cosine was computed three times
    ) AS candidate
    ORDER BY relevance DESC, candidate.product_id
    LIMIT %(k)s::bigint
) AS best
ORDER BY history.purchase_id, best.relevance DESC, best.product_id
"""

RANK_BY_POPULARITY = """
WITH {bounds}{trending}
SELECT
    NULL, candidate.product_id, candidate.normalized_popularity,
    0::float8, {popularity_term}, 0::float8, 0::float8, 0::float8
FROM (
    SELECT p.product_id, {normalized_popularity} AS normalized_popularity
    FROM trending p CROSS JOIN bounds
) AS candidate
ORDER BY abs(candidate.normalized_popularity - %(trendiness)s::float8), candidate.product_id
LIMIT %(k)s::bigint
"""

RANK_BY_POPULARITY_AND_PROXIMITY = """
WITH {bounds}{near_stock}
SELECT
    NULL, candidate.product_id, candidate.normalized_popularity,
    0::float8, {popularity_term}, 0::float8, 0::float8, 0::float8,
    %(weight_proximity)s::float8 * candidate.proximity, candidate.proximity
FROM (
    SELECT
        p.product_id, {normalized_popularity} AS normalized_popularity, {proximity} AS proximity
    FROM shoppers_productpopularity p CROSS JOIN bounds{join_near_stock}
    WHERE p.is_active AND p.gender = ANY(%(genders)s::text[]){filters}
) AS candidate
ORDER BY
    {popularity_term} + %(weight_proximity)s::float8 * candidate.proximity DESC,
    candidate.product_id
LIMIT %(k)s::bigint
"""


def rank_exactly(query: Query, settings: RankingSettings) -> list[RankedProduct]:
    """The top `settings.k` candidates of every purchase, best first within a purchase.

    A purchase whose product has no vector is ranked with a visual similarity of 0. Ties go to the
    smaller product key. Cost: one statement, which reads every candidate's vector.
    """
    sql = RANK_FOR_PURCHASES.format(
        bounds=BOUNDS,
        category_similarities=CATEGORY_SIMILARITIES,
        purchases=PURCHASES,
        popularity_term_of_best=POPULARITY_TERM.format(row="best"),
        popularity_term_of_candidate=POPULARITY_TERM.format(row="candidate"),
        normalized_popularity=NORMALIZED_POPULARITY,
        filters=NOT_EXCLUDED.format(row="v") + product_filters(query, "v"),
        **_proximity(query),
        backbone_id=int(settings.backbone.pk),
        dimension=int(settings.backbone.dimension),
    )
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters(query, settings))
        return [ranked(row) for row in cursor.fetchall()]


def rank_by_popularity(query: Query, settings: RankingSettings, *, n: int) -> list[RankedProduct]:
    """The `n` products whose popularity suits the shopper best; for one without purchases.

    Exact: the `n` nearest to t are among the `n` nearest on either side. Where proximity counts,
    every product is looked at.
    """
    filters = NOT_EXCLUDED.format(row="p") + product_filters(query, "p")
    parts = {
        "bounds": BOUNDS,
        "popularity_term": POPULARITY_TERM.format(row="candidate"),
        "normalized_popularity": NORMALIZED_POPULARITY,
    }
    if query.proximities is None:
        trending = trend_streams(query.genders, n, filters=filters)
        sql = RANK_BY_POPULARITY.format(trending=trending, **parts)
    else:
        sql = RANK_BY_POPULARITY_AND_PROXIMITY.format(filters=filters, **_proximity(query), **parts)
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters(query, settings) | {"k": n})
        return [ranked(row) for row in cursor.fetchall()]


def _proximity(query: Query) -> dict[str, str]:
    """The parts of a statement that know how near a product `p` is; 0 where nobody asks."""
    if query.proximities is None:
        return {"near_stock": "", "join_near_stock": "", "proximity": "0::float8"}
    return {
        "near_stock": NEAR_STOCK.format(proximities=query.proximities.sql),
        "join_near_stock": JOIN_NEAR_STOCK,
        "proximity": "COALESCE(near_stock.proximity, 0)",
    }


def trend_streams(genders: Sequence[str], n: int, *, join: str = "", filters: str = "") -> str:
    """SQL of `target` and `trending` (side, product_id, popularity): `n` rows on either side.

    Args:
        genders: names of `Gender`.
        n: a literal in the SQL, so that a plan without values knows that few rows are wanted.
        join: further tables that `filters` speak of.
        filters: more conditions on the row `p`, each with its AND.
    """
    sides = [
        " UNION ALL ".join(
            TREND_SIDE.format(
                side=side,
                join=join,
                gender=Gender(gender).value,
                comparison=comparison,
                order=order,
                filters=filters,
                n=int(n),
            )
            for gender in genders
        )
        for side, (comparison, order) in enumerate(((">=", "ASC"), ("<", "DESC")))
    ]
    return TREND_STREAMS.format(above=sides[0], below=sides[1], n=int(n))


def product_filters(query: Query, row: str) -> str:
    """SQL of the query's filters on a row that has a product_id, each condition with its AND."""
    conditions = row_filters(query, "c")
    of_product = OF_PRODUCT.format(row=row, conditions=conditions) if conditions else ""
    return of_product + stock_filter(query, row)


def row_filters(query: Query, row: str) -> str:
    """SQL of the category and price filters on a row that has these columns itself."""
    conditions = ""
    if query.category_ids is not None:
        conditions += IN_CATEGORIES.format(row=row)
    if query.price_range is not None:
        conditions += IN_PRICE_RANGE.format(row=row)
    return conditions


def stock_filter(query: Query, row: str) -> str:
    """SQL of the filters on a row's product_id: the stores, and the selection."""
    in_stores = "" if query.store_ids is None else IN_STORES.format(row=row)
    if query.selection is None:
        return in_stores
    return f"{in_stores}\n    AND {row}.product_id IN ({query.selection.sql})"


def parameters(query: Query, settings: RankingSettings) -> dict[str, Any]:
    """The values that the statements name."""
    lowest, highest = query.price_range or (None, None)
    return {
        "purchase_ids": list(query.purchase_ids),
        "product_ids": list(query.product_ids),
        "excluded": list(query.excluded_product_ids),
        "genders": list(query.genders),
        "category_ids": _list(query.category_ids),
        "lowest_price": lowest,
        "highest_price": highest,
        "store_ids": _list(query.store_ids),
        "trendiness": query.trendiness,
        "weight_visual": settings.weight_visual,
        "weight_popularity": settings.weight_popularity,
        "weight_category": settings.weight_category,
        "weight_proximity": settings.weight_proximity,
        "penalty_exponent": settings.penalty_exponent,
        "k": settings.k,
        **(query.selection.values if query.selection else {}),
        **(query.proximities.values if query.proximities else {}),
    }


def ranked(row: Sequence[Any]) -> RankedProduct:
    """A row of any of the statements."""
    purchase_id, product_id, normalized_popularity, *terms = row
    return RankedProduct(purchase_id, product_id, normalized_popularity, Terms(*terms))


def _list(values: Sequence[int] | None) -> list[int] | None:
    return None if values is None else list(values)
