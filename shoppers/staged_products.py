"""Products of staged rows, when some were merged into others since the file was read."""

from django.db import connection

# As `catalog.item_ids` does it: a merge waits for this lock, or is waited for.
LOCK = """
SELECT count(*) FROM (
    SELECT id FROM catalog_product WHERE id IN (SELECT product_id FROM {table})
    ORDER BY id FOR KEY SHARE
) AS locked
"""
FOLLOW = """
UPDATE {table} AS s SET product_id = p.merged_into_id
FROM catalog_product AS p WHERE p.id = s.product_id AND p.merged_into_id IS NOT NULL
"""


def follow_merges(table: str) -> None:
    """Name what products were merged into; until the transaction ends none of these is merged."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK.format(table=table))
        cursor.execute(FOLLOW.format(table=table))
        while cursor.rowcount:
            cursor.execute(LOCK.format(table=table))
            cursor.execute(FOLLOW.format(table=table))
