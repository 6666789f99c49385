"""Events on their way in: a temporary table, from which SQL adds what is new."""

from collections.abc import Iterator

from django.db import connection

from catalog.models import Product
from shoppers.bulk_load import copy_rows
from shoppers.csv_file import BadRow
from shoppers.event_file import EventFile
from shoppers.staged_products import follow_merges

COLUMNS = (
    "line",
    "kind",
    "product_id",
    "occurred_at",
    "shopper",
    "session_sha256",
    "key",
    "recommendation_id",
)

CREATE = """
CREATE TEMPORARY TABLE staged_event (
    line bigint, kind text, product_id bigint, occurred_at timestamptz, shopper text,
    session_sha256 text, key text, recommendation_id uuid,
    shopper_id bigint, session_id bigint, returned_purchase_at timestamptz
) ON COMMIT DROP
"""

# A new shopper's gender is that of all the products in their events, or UNISEX where that differs.
ADD_SHOPPERS = """
INSERT INTO shoppers_shopper (external_id, gender, trendiness, is_simulated, created_at)
SELECT shopper, CASE WHEN count(DISTINCT p.gender) = 1 THEN min(p.gender) ELSE 'UNISEX' END,
    0.5, false, now()
FROM staged_event AS s JOIN catalog_product AS p ON p.id = s.product_id
WHERE shopper IS NOT NULL
    AND NOT EXISTS (SELECT FROM shoppers_shopper WHERE external_id = shopper)
GROUP BY shopper ORDER BY min(line)
ON CONFLICT (external_id) DO NOTHING
"""

ADD_SESSIONS = """
INSERT INTO shoppers_anonymoussession (token_sha256, created_at)
SELECT DISTINCT session_sha256, now() FROM staged_event
WHERE session_sha256 IS NOT NULL ORDER BY session_sha256
ON CONFLICT (token_sha256) DO NOTHING
"""

# Sessions, then shoppers, each in key order, as everybody does who locks several.
LOCK_OWNERS = (
    """
    SELECT count(*) FROM (
        SELECT id FROM shoppers_anonymoussession
        WHERE token_sha256 IN (SELECT session_sha256 FROM staged_event)
        ORDER BY id FOR NO KEY UPDATE
    ) AS locked
    """,
    """
    UPDATE staged_event AS s SET session_id = session.id, shopper_id = session.shopper_id
    FROM shoppers_anonymoussession AS session WHERE session.token_sha256 = s.session_sha256
    """,
    """
    UPDATE staged_event AS s SET shopper_id = shopper.id
    FROM shoppers_shopper AS shopper WHERE shopper.external_id = s.shopper
    """,
    """
    SELECT count(*) FROM (
        SELECT id FROM shoppers_shopper WHERE id IN (SELECT shopper_id FROM staged_event)
        ORDER BY id FOR NO KEY UPDATE
    ) AS locked
    """,
)

AFTER_MERGE = """
DELETE FROM staged_event AS s USING shoppers_anonymoussession AS session
WHERE session.id = s.session_id AND session.merged_at < s.occurred_at
RETURNING line, 'its session ended when its shopper logged in; name the shopper instead'
"""

# Whose key came before: in the database, or in an earlier line.
REPEATED = """
WITH repeated AS (
    SELECT s.line, (e.kind, e.product_id) = (s.kind, s.product_id) AS is_same
    FROM staged_event AS s JOIN shoppers_event AS e
        ON e.key = s.key AND (e.shopper_id = s.shopper_id OR e.session_id = s.session_id)
    UNION ALL
    SELECT line, (first_kind, first_product_id) = (kind, product_id)
    FROM (
        SELECT line, kind, product_id,
            first_value(line) OVER same_key AS first_line,
            first_value(kind) OVER same_key AS first_kind,
            first_value(product_id) OVER same_key AS first_product_id
        FROM staged_event
        WINDOW same_key AS (
            PARTITION BY shopper_id, CASE WHEN shopper_id IS NULL THEN session_id END, key
            ORDER BY line
        )
    ) AS lines
    WHERE line <> first_line
)
DELETE FROM staged_event AS s USING (
    SELECT line, bool_and(is_same) AS is_same FROM repeated GROUP BY line
) AS r
WHERE r.line = s.line
RETURNING s.line, CASE WHEN NOT is_same THEN 'its key is the key of another event' END
"""

LOCK_POPULARITY = """
SELECT count(*) FROM (
    SELECT product_id FROM shoppers_productpopularity
    WHERE product_id IN (SELECT product_id FROM staged_event WHERE kind IN ('purchase', 'return'))
    ORDER BY product_id FOR UPDATE
) AS locked
"""

ADD_PURCHASES = """
INSERT INTO shoppers_purchase (shopper_id, product_id, purchased_at, is_simulated)
SELECT shopper_id, product_id, occurred_at, false FROM staged_event
WHERE kind = 'purchase' ORDER BY occurred_at, line
ON CONFLICT (shopper_id, product_id, purchased_at) DO NOTHING
"""

# The n-th return of a product takes back the n-th purchase of it that is left.
MATCHED_RETURNS = """
WITH back AS (
    SELECT line, shopper_id, product_id, occurred_at, row_number() OVER (
        PARTITION BY shopper_id, product_id ORDER BY occurred_at, line) AS n
    FROM staged_event WHERE kind = 'return'
), bought AS (
    SELECT id, shopper_id, product_id, purchased_at, row_number() OVER (
        PARTITION BY shopper_id, product_id ORDER BY purchased_at, id) AS n
    FROM shoppers_purchase
    WHERE (shopper_id, product_id) IN (SELECT shopper_id, product_id FROM back)
), matched AS (
    SELECT back.line, back.shopper_id, back.product_id, back.n, bought.id, bought.purchased_at
    FROM back LEFT JOIN bought
        ON (bought.shopper_id, bought.product_id, bought.n)
            = (back.shopper_id, back.product_id, back.n)
        AND bought.purchased_at <= back.occurred_at
)"""

# Only the first of a product: without it, the ones after it may find their purchases.
HOPELESS_RETURNS = f"""{MATCHED_RETURNS}
DELETE FROM staged_event AS s USING (
    SELECT DISTINCT ON (shopper_id, product_id) line FROM matched WHERE id IS NULL
    ORDER BY shopper_id, product_id, n
) AS hopeless
WHERE hopeless.line = s.line
RETURNING s.line, 'no purchase of this product to take back'
"""  # noqa: S608 - constants only

TAKE_BACK = f"""{MATCHED_RETURNS}, noted AS (
    UPDATE staged_event AS s SET returned_purchase_at = matched.purchased_at
    FROM matched WHERE matched.line = s.line
)
DELETE FROM shoppers_purchase WHERE id IN (SELECT id FROM matched)
"""  # noqa: S608 - constants only

ADD_EVENTS = """
INSERT INTO shoppers_event (shopper_id, session_id, product_id, kind, occurred_at, received_at,
    key, recommendation_id, returned_purchase_at)
SELECT shopper_id, session_id, product_id, kind, occurred_at, now(),
    key, recommendation_id, returned_purchase_at
FROM staged_event ORDER BY occurred_at, line
"""


def stage(file: EventFile) -> int:
    """Load the file's good lines and return how many; an unknown item id makes a line bad."""
    product_ids = Product.objects.keys_by_item_id()

    def rows() -> Iterator[tuple[object, ...]]:
        for row in file:
            product_id = product_ids.get(row.item_id)
            if product_id is None:
                reason = f"unknown item_id {row.item_id!r}; import its product first"
                file.bad_rows.append(BadRow(row.line, reason))
                continue
            yield (
                row.line,
                row.kind,
                product_id,
                row.timestamp,
                row.shopper,
                row.session_sha256,
                row.key,
                row.recommendation_id,
            )

    _execute(CREATE)
    n_rows = copy_rows("staged_event", COLUMNS, rows())
    _execute("ANALYZE staged_event")
    follow_merges("staged_event")
    return n_rows


def add_owners() -> int:
    """Create new shoppers and sessions and lock all that are named; how many shoppers are new."""
    n_new = _execute(ADD_SHOPPERS)
    _execute(ADD_SESSIONS)
    for statement in LOCK_OWNERS:
        _execute(statement)
    return n_new


def drop_repeated() -> tuple[list[BadRow], int]:
    """Drop lines that must not be added: the bad ones, and how many are there already."""
    bad = [BadRow(line, reason) for line, reason in _returning(AFTER_MERGE)]
    repeated = _returning(REPEATED)
    bad += [BadRow(line, reason) for line, reason in repeated if reason]
    return bad, sum(reason is None for _, reason in repeated)


def move_purchases() -> list[BadRow]:
    """Add purchases and take returned ones back, in one count of popularity; bad returns."""
    _execute(LOCK_POPULARITY)
    _execute(ADD_PURCHASES)
    bad = []
    while hopeless := _returning(HOPELESS_RETURNS):
        bad += [BadRow(line, reason) for line, reason in hopeless]
    _execute(TAKE_BACK)
    return bad


def add_events() -> int:
    """Store what is left, and remove the temporary table; how many events."""
    n_added = _execute(ADD_EVENTS)
    _execute("DROP TABLE staged_event")
    return n_added


def _execute(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


def _returning(statement: str) -> list[tuple[int, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
