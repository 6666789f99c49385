"""From item ids to products that may be written to, whatever is merged at the same moment."""

from collections.abc import Iterable

from django.db import connection

# In key order, as everybody locks products. A merge takes FOR UPDATE, which waits for this lock and
# which this lock waits for; one key share does not wait for another.
NAMED = """
SELECT id, item_id, merged_into_id FROM catalog_product
WHERE item_id = ANY(%(item_ids)s)
    OR id IN (SELECT merged_into_id FROM catalog_product WHERE item_id = ANY(%(item_ids)s))
ORDER BY id FOR KEY SHARE
"""


def lock_named_products(item_ids: Iterable[str]) -> dict[str, int]:
    """Keys by item id, also of products off sale; a merged one's names what it was merged into.

    Until the transaction ends none of them is merged into another. One query, and one more each
    time that somebody merged one meanwhile.
    """
    wanted = sorted(set(item_ids))
    while True:
        with connection.cursor() as cursor:
            cursor.execute(NAMED, {"item_ids": wanted})
            rows = cursor.fetchall()
        merged = {key: into for key, _, into in rows if into is not None}
        whole = {key for key, _, into in rows if into is None}
        if set(merged.values()) <= whole:  # else that one was merged while we waited
            return {item_id: merged.get(key, key) for key, item_id, _ in rows if item_id in wanted}
