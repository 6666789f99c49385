"""The proximity term in SQL: a product is as near as the nearest store that has it."""

from recommender.relevance import Query

NEAR_STOCK = """,
near_store AS MATERIALIZED ({proximities}),
near_stock AS MATERIALIZED (
    SELECT s.product_id, max(near_store.proximity) AS proximity
    FROM catalog_stock s JOIN near_store ON near_store.id = s.store_id{of}
    WHERE s.quantity > 0 GROUP BY s.product_id
)"""
JOIN_NEAR_STOCK = "\n        LEFT JOIN near_stock ON near_stock.product_id = {row}.product_id"


OF = " JOIN {rows} ON {rows}.product_id = s.product_id"


def near_stock(query: Query, *, of: str | None = None) -> str:
    """SQL of `near_stock` (product_id, proximity); or nothing.

    Args:
        query: with `proximities`, or none.
        of: an earlier WITH query with each product_id that matters, once; all of them by default.
    """
    if query.proximities is None:
        return ""
    return NEAR_STOCK.format(proximities=query.proximities.sql, of=OF.format(rows=of) if of else "")


def join_near_stock(query: Query, row: str) -> str:
    """SQL that joins it to a row that has a product_id; or nothing."""
    return "" if query.proximities is None else JOIN_NEAR_STOCK.format(row=row)


def proximity_of(query: Query) -> str:
    """SQL of the proximity where `join_near_stock` is."""
    return "0::float8" if query.proximities is None else "COALESCE(near_stock.proximity, 0)"
