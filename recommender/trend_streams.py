"""Products whose popularity lies nearest to a shopper's trendiness, in SQL."""

from collections.abc import Sequence

from catalog.models import Gender

# One side of t, outwards: an index scan per gender, ties by ascending product key.
TREND_SIDE = """
        (SELECT {side} AS side, p.product_id, p.popularity FROM shoppers_productpopularity p{join}
         WHERE p.gender = '{gender}' AND p.is_active
            AND p.popularity {comparison} (SELECT popularity FROM target){filters}
         ORDER BY p.popularity {order}, p.product_id LIMIT {n})"""

# Nearest on either side; an integer bound, so that both are range scans of the trend indexes.
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
