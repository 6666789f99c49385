"""What goes with a product: from categories of other groups, never from its own.

First what the same people bought, then what suits by category similarity and colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.database import reading_connection
from catalog.models import Gender, Product
from recommender.color_harmony import color_harmony

MIN_SHOPPERS = 2  # one person's basket is no pattern
MAX_BUYERS = 500  # the latest ones; more only cost time
N_POPULAR = 500  # of each gender, to choose what suits from

BOUGHT_TOGETHER = """
WITH buyers AS MATERIALIZED (
    SELECT shopper_id FROM shoppers_purchase WHERE product_id = %(product)s
    GROUP BY shopper_id ORDER BY max(purchased_at) DESC LIMIT %(max_buyers)s
),
together AS MATERIALIZED (
    SELECT p.product_id, count(DISTINCT p.shopper_id) AS n_shoppers
    FROM buyers JOIN shoppers_purchase p USING (shopper_id)
    GROUP BY p.product_id HAVING count(DISTINCT p.shopper_id) >= %(min_shoppers)s
)
SELECT
    t.product_id, t.n_shoppers,
    t.n_shoppers / sqrt((SELECT count(*) FROM buyers) * greatest(s.counted, 1)::float8) AS score
FROM together t
JOIN shoppers_productpopularity s USING (product_id)
JOIN catalog_product c ON c.id = t.product_id
JOIN catalog_category k ON k.id = c.category_id
WHERE c.is_active AND c.gender = ANY(%(genders)s) AND k.group_id <> %(group)s
ORDER BY score DESC, t.product_id LIMIT %(n)s
"""

POPULAR_ELSEWHERE = """
SELECT c.id, c.category_id, c.color, pair.similarity
FROM unnest(%(genders)s::text[]) AS g (gender) CROSS JOIN LATERAL (
    SELECT p.product_id, p.popularity FROM shoppers_productpopularity p
    WHERE p.gender = g.gender AND p.is_active
    ORDER BY p.popularity DESC, p.product_id LIMIT %(n_popular)s
) AS popular
JOIN catalog_product c ON c.id = popular.product_id AND c.is_active
JOIN catalog_category k ON k.id = c.category_id AND k.group_id <> %(group)s
JOIN catalog_categorypair pair ON pair.a_id = %(category)s AND pair.b_id = c.category_id
ORDER BY popular.popularity DESC, c.id
"""


@dataclass(frozen=True)
class Complement:
    """A product that goes with another one, and why."""

    product_id: int
    score: float
    n_shoppers: int  # who bought both; 0 where it is there because it suits
    reason: str


def complementary_products(*, product: Product, n: int) -> list[Complement]:
    """At most `n` products to wear with `product`, best first within each of the two reasons.

    Among those that suit, categories take turns. Candidates there are the most popular products of
    compatible gender. Cost: two statements.
    """
    together = _bought_together(product, n)
    if len(together) >= n:
        return together
    known = {complement.product_id for complement in together}
    suiting = [c for c in _suiting(product) if c.product_id not in known]
    return [*together, *suiting][:n]


def _bought_together(product: Product, n: int) -> list[Complement]:
    """Scored by the cosine of the two sets of buyers, so that bestsellers do not go with all."""
    rows = _read(BOUGHT_TOGETHER, product, n=n, max_buyers=MAX_BUYERS, min_shoppers=MIN_SHOPPERS)
    return [
        Complement(pk, min(score, 1.0), n_shoppers, f"{n_shoppers} shoppers bought both.")
        for pk, n_shoppers, score in rows
    ]


def _suiting(product: Product) -> list[Complement]:
    """Popular products of other groups, by the mean of category similarity and colour harmony."""
    by_category: dict[int, list[Complement]] = {}
    for pk, category_id, color, similarity in _read(
        POPULAR_ELSEWHERE, product, n_popular=N_POPULAR
    ):
        harmony = color_harmony(product.color, color)
        reason = suiting_in_words(similarity, harmony)
        complement = Complement(pk, (similarity + harmony) / 2, 0, reason)
        by_category.setdefault(category_id, []).append(complement)
    turns = [
        (turn, -complement.score, position, complement)
        for found in by_category.values()
        for turn, (position, complement) in enumerate(_best_first(found))
    ]
    return [complement for *_, complement in sorted(turns, key=lambda turn: turn[:3])]


def suiting_in_words(category_similarity: float, harmony: float) -> str:
    """One sentence about why two articles may be worn together; the score has the number."""
    kind = "A kind of garment near to it" if category_similarity >= 0.3 else "Another kind"
    if harmony >= 0.75:
        return f"{kind}, in a colour that goes well with it."
    return f"{kind}, in a colour that {'goes with it' if harmony >= 0.4 else 'stands out'}."


def _best_first(found: Sequence[Complement]) -> list[tuple[int, Complement]]:
    """With their places in `found`, which settle ties: there the more popular comes first."""
    return sorted(enumerate(found), key=lambda pair: (-pair[1].score, pair[0]))


def _read(sql: str, product: Product, **values: int) -> list[tuple]:
    parameters = {
        "product": product.pk,
        "category": product.category_id,
        "group": product.category.group_id,
        "genders": sorted(Gender(product.gender).compatible()),
        **values,
    }
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
