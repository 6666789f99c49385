"""Products whose sales are rising: a window's purchases against those of the window before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache

from catalog.database import reading_connection

# Two months in tenths of a day are 600 halvings, which a double still holds.
HALF_LIFE_DAYS = (0.1, 365.0)
N_SHOWN = 100
SHOWN_FOR_SECONDS = 60

# A purchase counts 1 when it happens and half of that a half-life later; in the window before, as
# it did at that window's own end. The window ends at the latest purchase, so that a quiet night, or
# a year of imported purchases, is compared with what came before it.
TRENDING = """
WITH latest AS MATERIALIZED (
    SELECT max(purchased_at) AS at FROM shoppers_purchase WHERE purchased_at <= %(now)s
),
sold AS (
    SELECT
        p.product_id,
        p.purchased_at > latest.at - %(window)s::interval AS is_recent,
        extract(epoch FROM latest.at - p.purchased_at)::float8 / 86400 AS age_days
    FROM latest JOIN shoppers_purchase p
        ON p.purchased_at > latest.at - 2 * %(window)s::interval AND p.purchased_at <= latest.at
{of_categories}
),
counted AS (
    SELECT
        product_id,
        count(*) FILTER (WHERE is_recent) AS n_recent,
        count(*) FILTER (WHERE NOT is_recent) AS n_before,
        COALESCE(sum(power(0.5, age_days / %(half_life)s::float8))
            FILTER (WHERE is_recent), 0) AS recent,
        COALESCE(sum(power(0.5, (age_days - %(window_days)s::float8) / %(half_life)s::float8))
            FILTER (WHERE NOT is_recent), 0) AS before
    FROM sold GROUP BY product_id
)
SELECT product_id, recent - before, n_recent, n_before
FROM counted JOIN catalog_product c ON c.id = product_id
WHERE recent > before AND c.is_active AND c.id <> ALL(%(excluded)s::bigint[])
    AND (%(genders)s::text[] IS NULL OR c.gender = ANY(%(genders)s::text[]))
ORDER BY recent - before DESC, recent DESC, product_id LIMIT %(n)s
"""


# Before the purchases are summed up, as a category has few of them; genders have half of all each.
OF_CATEGORIES = """
        AND p.product_id IN (
            SELECT id FROM catalog_product WHERE category_id = ANY(%(categories)s::bigint[])
        )"""


@dataclass(frozen=True)
class RisingProduct:
    """A product that sells better than before; `rise` is in purchases, older ones discounted."""

    product_id: int
    rise: float
    n_recent: int
    n_before: int


def rising_products(
    *,
    window_days: int,
    half_life_days: float,
    now: datetime,
    n: int,
    genders: Sequence[str] | None = None,
    category_ids: Sequence[int] | None = None,
    excluded: Sequence[int] = (),
) -> list[RisingProduct]:
    """The `n` active products that rise most, the steepest first; ties go to the smaller key.

    Cost: one statement over the purchases of two windows; 33,000 of them took some 50 ms.

    Raises:
        ValueError: the half-life is not from 0.1 to 365 days.
    """
    low, high = HALF_LIFE_DAYS
    if not low <= half_life_days <= high:
        raise ValueError(f"halfLifeDays must be from {low} to {high:g}; got {half_life_days}")
    parameters = {
        "now": now,
        "window": timedelta(days=window_days),
        "window_days": window_days,
        "half_life": half_life_days,
        "genders": None if genders is None else list(genders),
        "categories": None if category_ids is None else list(category_ids),
        "excluded": list(excluded),
        "n": n,
    }
    with reading_connection().cursor() as cursor:
        of_categories = "" if category_ids is None else OF_CATEGORIES
        cursor.execute(TRENDING.format(of_categories=of_categories), parameters)
        return [RisingProduct(*row) for row in cursor.fetchall()]


def shown_rising_products(
    *, window_days: int, half_life_days: float, now: datetime, genders: Sequence[str] | None
) -> list[RisingProduct]:
    """The hundred that rise most, as of at most a minute ago: every visitor asks for the same.

    Raises:
        ValueError: as `rising_products` does.
    """
    chosen = None if genders is None else sorted(set(genders))
    key = f"rising:{window_days}:{half_life_days:g}:{','.join(chosen or ['*'])}"
    rising = cache.get(key)
    if rising is None:
        rising = rising_products(
            window_days=window_days,
            half_life_days=half_life_days,
            now=now,
            n=N_SHOWN,
            genders=chosen,
        )
        cache.set(key, rising, SHOWN_FOR_SECONDS)
    return rising
