"""What goes with a product: bought together, then what suits; never of its own group."""

import pytest

from catalog.models import GroupSimilarity
from recommender.color_harmony import color_harmony
from recommender.complements import complementary_products
from shoppers.models import ProductPopularity
from tests.factories import (
    CategoryFactory,
    CategoryGroupFactory,
    ProductFactory,
    PurchaseFactory,
    ShopperFactory,
)


@pytest.fixture
def shop():
    groups = [CategoryGroupFactory(name=name) for name in ("Tops", "Bottoms", "Shoes")]
    tops, bottoms, shoes = groups
    GroupSimilarity.objects.create(a=tops, b=bottoms, similarity=0.4)
    GroupSimilarity.objects.create(a=tops, b=shoes, similarity=0.2)
    kinds = {"tee": tops, "shirt": tops, "jeans": bottoms, "skirt": bottoms, "boots": shoes}
    return {name: CategoryFactory(name=name.title(), group=group) for name, group in kinds.items()}


def add(kind, color: str = "", popularity: int = 0, **fields):
    product = ProductFactory(category=kind, color=color, **fields)
    ProductPopularity.objects.filter(product=product).update(base=popularity)
    return product


def found(product, n: int = 10) -> list[tuple[int, float, int]]:
    complements = complementary_products(product=product, n=n)
    return [(c.product_id, pytest.approx(c.score), c.n_shoppers) for c in complements]


@pytest.mark.django_db
def test_categories_that_suit_take_turns_and_colours_decide_within_one(shop):
    red_tee = add(shop["tee"], "Red")
    other_tee, shirt = add(shop["tee"], "Green", 99), add(shop["shirt"], "Green", 99)
    clashing = add(shop["jeans"], "Orange", 5)
    opposite = add(shop["jeans"], "Green", 1)
    unknown = add(shop["boots"], "", 9)
    assert found(red_tee) == [
        (opposite.pk, (0.4 + 1.0) / 2, 0),
        (unknown.pk, (0.2 + 0.5) / 2, 0),
        (clashing.pk, (0.4 + 0.3) / 2, 0),
    ]
    assert {pk for pk, *_ in found(red_tee)}.isdisjoint({other_tee.pk, shirt.pk, red_tee.pk})


@pytest.mark.django_db
def test_ties_go_to_the_more_popular(shop):
    tee = add(shop["tee"])
    few, many = add(shop["jeans"], popularity=1), add(shop["jeans"], popularity=2)
    assert [pk for pk, *_ in found(tee)] == [many.pk, few.pk]


@pytest.mark.django_db
def test_what_the_same_people_bought_comes_first(shop):
    tee, jeans, boots, shirt = (add(shop[kind]) for kind in ("tee", "jeans", "boots", "shirt"))
    popular = add(shop["skirt"], popularity=100)
    for n in range(4):
        shopper = ShopperFactory()
        PurchaseFactory(shopper=shopper, product=tee)
        PurchaseFactory(shopper=shopper, product=shirt)  # of the same group: never
        if n < 2:
            PurchaseFactory(shopper=shopper, product=boots)
        if n < 1:
            PurchaseFactory(shopper=shopper, product=jeans)  # one person is no pattern
    assert found(tee) == [
        (boots.pk, 2 / (4 * 2) ** 0.5, 2),
        (popular.pk, (0.4 + 0.5) / 2, 0),
        (jeans.pk, (0.4 + 0.5) / 2, 0),
    ]
    assert found(tee, n=1) == [(boots.pk, 2 / 8**0.5, 2)]


@pytest.mark.django_db
def test_genders_must_suit_and_products_must_be_on_sale(shop):
    tee = add(shop["tee"], gender="MEN")
    add(shop["jeans"], gender="WOMEN")
    add(shop["jeans"], gender="MEN", is_active=False)
    anybody = add(shop["jeans"], gender="UNISEX")
    assert [pk for pk, *_ in found(tee)] == [anybody.pk]


@pytest.mark.parametrize(
    ("a", "b", "harmony"),
    [
        ("Red", "Green", 1.0),
        ("Blue", "Orange", 1.0),
        ("Purple", "Yellow", 1.0),
        ("Red", "Red", 0.7),
        ("Red", "Maroon", 0.7),
        ("Blue", "Teal", 0.8),
        ("Red", "Blue", 0.6),
        ("Red", "Orange", 0.3),
        ("Navy Blue", "Orange", 0.9),
        ("white", "BLACK", 0.9),
        ("Sea Green", "red", 1.0),
        ("", "Red", 0.5),
        ("Multi", "Red", 0.5),
    ],
)
def test_colours_go_together_by_their_names(a, b, harmony):
    assert color_harmony(a, b) == color_harmony(b, a) == harmony
