import pytest
from django.core.exceptions import ValidationError

from catalog.models import (
    Category,
    CategoryGroup,
    CategoryPair,
    CategorySimilarity,
    GroupSimilarity,
)
from catalog.shipped_similarity import ensure_shipped_groups, shipped_group, shipped_similarity
from tests.factories import CategoryFactory, CategoryGroupFactory

pytestmark = pytest.mark.django_db


def shipped_category(name):
    ensure_shipped_groups()
    return CategoryFactory(name=name, group=CategoryGroup.objects.get(name=shipped_group(name)))


def pair(a, b):
    return CategoryPair.objects.values_list("similarity", "source").get(a=a, b=b)


def test_the_papers_example_prefers_sweaters_to_skirts_for_a_cardigan():
    cardigans, sweaters, skirts = map(shipped_category, ("Cardigans", "Sweaters", "Skirts"))
    assert pair(cardigans, sweaters) == (0.8, "within group")
    assert pair(cardigans, skirts) == (0.1, "groups")


def test_a_category_is_wholly_like_itself():
    category = CategoryFactory()
    assert pair(category, category) == (1.0, "same")


def test_groups_without_a_value_are_visibly_default():
    assert pair(CategoryFactory(), CategoryFactory()) == (0.1, "default")


def test_an_override_wins_over_the_group_even_where_it_is_zero():
    group = CategoryGroupFactory()
    a, b = CategoryFactory(group=group), CategoryFactory(group=group)
    CategorySimilarity.objects.create(a=a, b=b, similarity=0)
    assert pair(a, b) == (0.0, "override")


def test_every_pair_is_symmetric():
    names = ("Cardigans", "Skirts", "Suiting", "Denim")
    categories = [*map(shipped_category, names), CategoryFactory()]
    CategorySimilarity.objects.create(a=categories[3], b=categories[0], similarity=0.6)
    matrix = {(p.a_id, p.b_id): (p.similarity, p.source) for p in CategoryPair.objects.all()}
    assert len(matrix) == 25
    assert all(matrix[a, b] == matrix[b, a] for a, b in matrix)


def test_the_shipped_matrix_has_seventeen_categories_and_all_fifteen_pairs_of_groups():
    shipped = shipped_similarity()
    assert sum(len(categories) for categories in shipped.groups.values()) == 17
    assert len(shipped.groups) == 6
    assert {frozenset(pair) for pair in shipped.similarities} == {
        frozenset((a, b)) for a in shipped.groups for b in shipped.groups if a != b
    }


@pytest.mark.parametrize(
    ("a", "b", "similarity"),
    [
        ("Tees_Tanks", "Shorts", 0.2),
        ("Graphic_Tees", "Jackets_Vests", 0.3),
        ("Shirts_Polos", "Sweatshirts_Hoodies", 0.4),
        ("Leggings", "Rompers_Jumpsuits", 0.1),
        ("Jackets_Coats", "Sweaters", 0.4),
        ("Dresses", "Suiting", 0.3),
        ("Suiting", "Cardigans", 0.2),
    ],
)
def test_shipped_values_hold_in_the_database(a, b, similarity):
    assert pair(shipped_category(a), shipped_category(b)) == (similarity, "groups")


def test_other_categories_have_no_shipped_group():
    assert shipped_group("Sandals") is None


def test_shipped_groups_enter_once_and_leave_curators_values_alone():
    ensure_shipped_groups()
    changed, deleted = GroupSimilarity.objects.all()[:2]
    GroupSimilarity.objects.filter(pk=changed.pk).update(similarity=0.77)
    deleted.delete()
    ensure_shipped_groups()
    assert CategoryGroup.objects.count() == 6
    assert GroupSimilarity.objects.count() == 14
    assert GroupSimilarity.objects.get(pk=changed.pk).similarity == 0.77


def test_a_value_between_shipped_groups_that_existed_before_is_kept():
    knitwear, tops = CategoryGroupFactory(name="Knitwear"), CategoryGroupFactory(name="Tops")
    GroupSimilarity.objects.create(a=tops, b=knitwear, similarity=0.9)
    ensure_shipped_groups()
    assert GroupSimilarity.objects.count() == 15
    assert GroupSimilarity.objects.get(a=knitwear, b=tops).similarity == 0.9


def test_a_pair_is_stored_in_key_order_however_it_is_given():
    a, b = CategoryFactory(), CategoryFactory()
    CategorySimilarity.objects.create(a=b, b=a, similarity=0.5)
    stored = CategorySimilarity.objects.get()
    assert (stored.a, stored.b) == (a, b)


def test_a_pair_entered_the_other_way_round_is_the_same_pair():
    a, b = CategoryFactory(), CategoryFactory()
    CategorySimilarity.objects.create(a=a, b=b, similarity=0.5)
    with pytest.raises(ValidationError, match="already exists"):
        CategorySimilarity(a=b, b=a, similarity=0.4).full_clean()


def test_a_category_takes_no_similarity_to_itself():
    category = CategoryFactory()
    with pytest.raises(ValidationError, match="Choose two different ones"):
        CategorySimilarity(a=category, b=category, similarity=0.4).full_clean()
    assert Category.objects.count() == 1
