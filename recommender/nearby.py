"""The stream of products that the nearest stores have, in SQL, and what bounds all others.

No index orders products by how near they are to somebody. But near stores are few, and what one has
is a range of the stock: read from the nearest store outwards, it is a stream like the others, whose
last row bounds the proximity of everything unseen. Of what the other streams bring, the nearest
store is looked up.
"""

from embeddings.indexes import SearchIndexes, gender_list
from recommender.conditions import NOT_EXCLUDED, row_filters, stock_filter
from recommender.formula import NORMALIZED_POPULARITY, relevance_of
from recommender.merchandising.terms import not_merchandised
from recommender.relevance import Query
from recommender.short_lists import distances

MIN_PROXIMITY = 0.0067  # at 50 km: what a farther store adds decides next to nothing
# So many rows of stock are read: of each twenty products one, as far as that goes. Where more are
# as near, a stream of neighbours has some of the best of them.
NEARBY_SHARE = 0.05
MIN_NEARBY, MAX_NEARBY = 1_000, 20_000

# Fences, so that stores come in their order and the limit ends the reading, and that the stores of
# what was seen are looked up by index: the planner takes it for much, and would read all stock.
STOCKED = """,
near_store AS MATERIALIZED ({proximities}),
stocked AS MATERIALIZED (
    SELECT stock.product_id, store.proximity
    FROM (
        SELECT id, proximity FROM near_store WHERE proximity >= {min_proximity}
        ORDER BY proximity DESC, id OFFSET 0
    ) AS store
    CROSS JOIN LATERAL (
        SELECT s.product_id FROM catalog_stock s JOIN {products}
        WHERE s.store_id = store.id AND s.quantity > 0{conditions}
        LIMIT {n_nearby}
    ) AS stock
    ORDER BY store.proximity DESC
    LIMIT {n_nearby}
),
unseen_stock AS MATERIALIZED (
    SELECT GREATEST(
        (SELECT min(proximity) FROM stocked HAVING count(*) >= {n_nearby}),
        (SELECT max(proximity) FROM near_store WHERE proximity < {min_proximity}),
        0
    ) AS proximity
),
near_stock AS MATERIALIZED (
    SELECT known.product_id, max(known.proximity) AS proximity
    FROM (
        SELECT product_id, proximity FROM stocked
        UNION ALL
        SELECT stock.product_id, near_store.proximity
        FROM ({seen}) AS seen
        CROSS JOIN LATERAL (
            SELECT s.product_id, s.store_id FROM catalog_stock s
            WHERE s.product_id = seen.product_id AND s.quantity > 0 OFFSET 0
        ) AS stock
        JOIN near_store ON near_store.id = stock.store_id
    ) AS known
    GROUP BY known.product_id
)"""

AT_HAND = """,
at_hand AS MATERIALIZED (
    SELECT
        p.product_id, p.category_id, p.popularity,
        {normalized_popularity} AS normalized_popularity, near_stock.proximity,
        ARRAY[{distances}] AS cosine_distances
    FROM near_stock
    JOIN embeddings_searchvector p
        ON p.product_id = near_stock.product_id AND p.projection_id = {projection_id}
    CROSS JOIN bounds
    WHERE p.product_id IN (SELECT product_id FROM stocked)
)"""
SEARCHABLE = (
    "embeddings_searchvector n ON n.product_id = s.product_id AND n.projection_id = {projection_id}"
)
OF_GENDERS = " AND n.is_active AND n.gender IN ({genders})"
SEEN = "SELECT product_id FROM near UNION SELECT product_id FROM popular"
SEEN_BOOSTED = " UNION SELECT product_id FROM boosted"

# The best of them: all have all their terms, so that no other can be in the short list.
NEARBY_BEST = """
                    UNION ALL
                    (SELECT
                        nearby.product_id, nearby.category_id, nearby.popularity,
                        nearby.cosine_distance
                     FROM (
                        SELECT
                            at_hand.*, 0::float8 AS merchandising,
                            COALESCE(cosine_distances[history.position], 1) AS cosine_distance,
                            history.category_similarities[category_id] AS category_similarity
                        FROM at_hand
                     ) AS nearby
                     ORDER BY {relevance} DESC, nearby.product_id LIMIT {n_short})"""


def n_nearby_of(n_rows: int) -> int:
    """How many rows of stock are read for a catalogue of `n_rows`; in steps, for few statements."""
    share = int(NEARBY_SHARE * n_rows)
    return min(max(MIN_NEARBY, share - share % MIN_NEARBY), MAX_NEARBY)


def stocked(
    query: Query, *, products: str, conditions: str, seen: str, n_nearby: int = MAX_NEARBY
) -> str:
    """SQL of `stocked` and `near_stock` (product_id, proximity), and of what bounds all others.

    Args:
        query: with `proximities`.
        products: a table of candidates as it is joined to the stock `s`.
        conditions: on its row, each with its AND.
        seen: SQL of the product keys that other streams brought.
        n_nearby: rows of stock that are read, at most.
    """
    return STOCKED.format(
        proximities=query.proximities.sql,
        min_proximity=MIN_PROXIMITY,
        products=products,
        conditions=conditions,
        seen=seen,
        n_nearby=int(n_nearby),
    )


def nearby(query: Query, indexes: SearchIndexes, n_nearby: int) -> str:
    """SQL of the stream with its distances, after the other streams; nothing for nobody's place.

    Each of its products is looked at by its short vector, as `recommender.filtered` does.
    """
    if query.proximities is None:
        return ""
    conditions = (
        OF_GENDERS.format(genders=gender_list(frozenset(query.genders)))
        + NOT_EXCLUDED.format(row="n")
        + row_filters(query, "n")
        + stock_filter(query, "n")
        + not_merchandised(query, "n")
    )
    return stocked(
        query,
        products=SEARCHABLE.format(projection_id=indexes.projection_id),
        conditions=conditions,
        seen=SEEN + (SEEN_BOOSTED if query.boosts else ""),
        n_nearby=n_nearby,
    ) + AT_HAND.format(
        projection_id=indexes.projection_id,
        normalized_popularity=NORMALIZED_POPULARITY,
        distances=distances(len(query.purchase_ids), indexes.dimension),
    )


def nearby_best(query: Query, n_short: int) -> str:
    """SQL of the stream's best for one purchase, as one more part of a union; or nothing."""
    if query.proximities is None:
        return ""
    relevance = relevance_of("nearby", "(1 - nearby.cosine_distance)")
    return NEARBY_BEST.format(relevance=relevance, n_short=int(n_short))


def unseen_proximity(query: Query) -> str:
    """SQL of the proximity that no unseen product exceeds."""
    if query.proximities is None:
        return "0::float8"
    return "(SELECT proximity FROM unseen_stock)"
