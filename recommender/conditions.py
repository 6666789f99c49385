"""Which candidates count: a query's filters as SQL conditions, each with its AND."""

from recommender.relevance import Query

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


def product_filters(query: Query, row: str) -> str:
    """The query's filters on a row that has a product_id."""
    conditions = row_filters(query, "c")
    of_product = OF_PRODUCT.format(row=row, conditions=conditions) if conditions else ""
    return of_product + stock_filter(query, row)


def row_filters(query: Query, row: str) -> str:
    """The category and price filters on a row that has these columns itself."""
    conditions = ""
    if query.category_ids is not None:
        conditions += IN_CATEGORIES.format(row=row)
    if query.price_range is not None:
        conditions += IN_PRICE_RANGE.format(row=row)
    return conditions


def stock_filter(query: Query, row: str) -> str:
    """The filters on a row's product_id: the stores, and the selection."""
    in_stores = "" if query.store_ids is None else IN_STORES.format(row=row)
    if query.selection is None:
        return in_stores
    return f"{in_stores}\n    AND {row}.product_id IN ({query.selection.sql})"
