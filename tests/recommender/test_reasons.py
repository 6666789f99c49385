"""The sentence beside the numbers names the largest term, and what it is about."""

from datetime import UTC, datetime

import pytest

from catalog.models import Category, Product
from recommender.answers import Because, Recommendation
from recommender.reasons import reason_of
from recommender.relevance import Terms

JEANS = Category(pk=1, name="Jeans")
SHIRTS = Category(pk=2, name="Shirts")
BOUGHT = Product(pk=1, title="", color="Blue", category=JEANS, item_id="j1")
MAY = datetime(2025, 5, 7, tzinfo=UTC)


def reason(visual=0.0, popularity=0.0, category=0.0, *, kind="purchase", norm=0.9, **of):
    product = Product(pk=2, category=of.get("category_of", SHIRTS), item_id="s1")
    because = Because(9, kind, of.get("bought", BOUGHT), MAY) if kind else None
    terms = Terms(visual, popularity, category, 0.0, 0.0)
    return reason_of(Recommendation(because, product, terms, norm, None))


def test_the_largest_term_comes_first_with_its_numbers():
    assert reason(visual=0.52, popularity=0.19) == (
        "Looks like blue jeans, which you bought in May 2025 (visual 0.52 of 0.71); "
        "popular, like what you usually pick."
    )
    assert reason(popularity=0.3, visual=0.01, norm=0.1) == (
        "Seldom bought, like what you usually pick (popularity 0.30 of 0.31)."
    )
    assert reason(category=0.8, category_of=JEANS) == (
        "The same kind as blue jeans, which you bought in May 2025 (category 0.80 of 0.80)."
    )
    assert reason(category=0.4).startswith("A similar kind as blue jeans")


@pytest.mark.parametrize(
    ("kind", "words"),
    [("cart", "put into your cart"), ("favourite", "liked"), ("view", "looked at")],
)
def test_what_was_done_is_said_and_a_title_is_a_better_name(kind, words):
    titled = Product(pk=1, title="Puma Denim", color="Blue", category=JEANS, item_id="j1")
    assert reason(visual=0.5, kind=kind, bought=titled) == (
        f"Looks like Puma Denim, which you {words} in May 2025 (visual 0.50 of 0.50)."
    )


def test_without_anything_to_compare_with_it_is_the_popularity():
    assert reason(popularity=0.3, kind=None) == ("Popular so far (popularity 0.30 of 0.30).")


def test_who_bought_nothing_picks_nothing_usually():
    assert reason(popularity=0.3, norm=0.1, kind="view") == (
        "Seldom bought so far (popularity 0.30 of 0.30)."
    )


@pytest.mark.parametrize("largest", ["visual", "popularity", "category"])
def test_whatever_is_largest_is_named(largest):
    terms = {"visual": 0.1, "popularity": 0.1, "category": 0.1} | {largest: 0.4}
    assert f"({largest} 0.40 of 0.60)" in reason(**terms)
