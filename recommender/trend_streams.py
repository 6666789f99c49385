"""Products whose popularity lies nearest to a shopper's trendiness, in SQL."""

from collections.abc import Sequence

from catalog.models import Gender
from recommender.formula import NORMALIZED_POPULARITY, POPULARITY_PENALTY

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

# The better of the edges: a side that ends before its limit has seen all of its products.
UNSEEN_POPULARITY = """
    SELECT max(%(weight_popularity)s::float8 * (1 - {penalty})) AS popularity
    FROM (
        SELECT
            count(*) AS n,
            max(abs({normalized_popularity} - %(trendiness)s::float8)) AS distance
        FROM trending p CROSS JOIN bounds GROUP BY p.side
    ) AS edge
    WHERE edge.n >= {n}
"""


def unseen_popularity(n: int) -> str:
    """SQL of the popularity term that no product outside of `trending` exceeds; NULL: all are in.

    Args:
        n: what `trend_streams` was given.
    """
    return UNSEEN_POPULARITY.format(
        penalty=POPULARITY_PENALTY.format(distance="edge.distance"),
        normalized_popularity=NORMALIZED_POPULARITY,
        n=int(n),
    )


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
