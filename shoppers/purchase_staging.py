"""Purchases on their way in: a temporary table, from which SQL adds what is new."""

from collections.abc import Iterator

from django.db import connection

from catalog.models import Product
from shoppers.bulk_load import copy_rows
from shoppers.csv_file import BadRow
from shoppers.purchase_file import PurchaseFile
from shoppers.staged_products import follow_merges

COLUMNS = (
    "line",
    "shopper",
    "product_id",
    "purchased_at",
    "gender",
    "trendiness",
    "latitude",
    "longitude",
)

CREATE = """
CREATE TEMPORARY TABLE staged_purchase (
    line bigint, shopper text, product_id bigint, purchased_at timestamptz,
    gender text, trendiness float8, latitude float8, longitude float8
) ON COMMIT DROP
"""

# What several lines say of one new shopper: the first line that says anything counts.
ADD_SHOPPERS = """
INSERT INTO shoppers_shopper
    (external_id, gender, trendiness, latitude, longitude, is_simulated, created_at)
SELECT
    shopper,
    coalesce(
        (array_agg(s.gender ORDER BY line) FILTER (WHERE s.gender IS NOT NULL))[1],
        CASE WHEN count(DISTINCT p.gender) = 1 THEN min(p.gender) ELSE 'UNISEX' END
    ),
    coalesce((array_agg(trendiness ORDER BY line) FILTER (WHERE trendiness IS NOT NULL))[1], 0.5),
    (array_agg(latitude ORDER BY line) FILTER (WHERE latitude IS NOT NULL))[1],
    (array_agg(longitude ORDER BY line) FILTER (WHERE longitude IS NOT NULL))[1],
    false,
    now()
FROM staged_purchase AS s JOIN catalog_product AS p ON p.id = s.product_id
WHERE NOT EXISTS (SELECT FROM shoppers_shopper WHERE external_id = shopper)
GROUP BY shopper
ORDER BY min(line)
ON CONFLICT (external_id) DO NOTHING
"""

# What was returned since it was first imported stays returned.
ADD_PURCHASES = """
INSERT INTO shoppers_purchase (shopper_id, product_id, purchased_at, is_simulated)
SELECT shopper.id, s.product_id, s.purchased_at, false
FROM staged_purchase AS s JOIN shoppers_shopper AS shopper ON shopper.external_id = s.shopper
WHERE NOT EXISTS (
    SELECT FROM shoppers_event AS back
    WHERE back.kind = 'return' AND back.shopper_id = shopper.id
        AND back.product_id = s.product_id AND back.returned_purchase_at = s.purchased_at
)
ORDER BY s.purchased_at, s.line
ON CONFLICT (shopper_id, product_id, purchased_at) DO NOTHING
"""


def stage(file: PurchaseFile) -> int:
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
                row.shopper,
                product_id,
                row.timestamp,
                row.gender,
                row.trendiness,
                row.latitude,
                row.longitude,
            )

    with connection.cursor() as cursor:
        cursor.execute(CREATE)
    n_rows = copy_rows("staged_purchase", COLUMNS, rows())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE staged_purchase")
    follow_merges("staged_purchase")
    return n_rows


def add_new_shoppers() -> int:
    """Create the staged shoppers that do not exist yet; returns how many."""
    return _execute(ADD_SHOPPERS)


def add_new_purchases() -> int:
    """Create the staged purchases that do not exist yet, in one statement; returns how many."""
    return _execute(ADD_PURCHASES)


def drop() -> None:
    """Remove the temporary table before the transaction ends, so that another may follow in it."""
    _execute("DROP TABLE staged_purchase")


def _execute(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount
