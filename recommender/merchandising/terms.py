"""The merchandising term in SQL: whose it is not 0 are few, and always looked at."""

from recommender.relevance import Query

# A category's rule stands in place of the one for everywhere (ascending: NULL comes last).
MERCHANDISED = """,
merchandised AS MATERIALIZED (
    SELECT DISTINCT ON (history.purchase_id, rule.product_id)
        history.purchase_id, rule.product_id, rule.boost
    FROM history CROSS JOIN unnest(
        %(boosted)s::bigint[], %(boost_categories)s::bigint[], %(boosts)s::float8[]
    ) AS rule (product_id, category_id, boost)
    WHERE rule.category_id IS NULL
        OR rule.category_id = COALESCE(%(listed_category)s::bigint, history.category_id)
    ORDER BY history.purchase_id, rule.product_id, rule.category_id
)"""
JOIN_MERCHANDISED = """
        LEFT JOIN merchandised
            ON merchandised.product_id = {row}.product_id
            AND merchandised.purchase_id IS NOT DISTINCT FROM history.purchase_id"""
# A hashed set; an array that a prepared statement is given is searched from its beginning.
NOT_MERCHANDISED = "\n    AND {row}.product_id NOT IN (SELECT unnest(%(boosted)s::bigint[]))"


def merchandised(query: Query) -> str:
    """SQL of `merchandised` (purchase_id, product_id, boost), after `history`; or nothing.

    `history` has a purchase_id and the category_id of what was bought.
    """
    return MERCHANDISED if query.boosts else ""


def join_merchandised(query: Query, row: str) -> str:
    """SQL that joins it to a row that has a product_id, beside one of `history`; or nothing."""
    return JOIN_MERCHANDISED.format(row=row) if query.boosts else ""


def merchandising_term(query: Query) -> str:
    """SQL of the term where `join_merchandised` is."""
    return "COALESCE(merchandised.boost, 0)" if query.boosts else "0::float8"


def not_merchandised(query: Query, row: str) -> str:
    """The condition, with its AND, that no rule names the row's product; or nothing."""
    return NOT_MERCHANDISED.format(row=row) if query.boosts else ""
