"""Editing the matrix: one transaction, remembered, brought back, and through a file."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from catalog.models import CategoryPair, CategorySimilarity, GroupSimilarity
from catalog.similarity.csv_file import CsvProblemsError, export_matrix, read_edits
from catalog.similarity.edits import Edit, RefusedEditsError, edits_to, save_edits
from catalog.similarity.history import Change, recent_saves
from catalog.similarity.values import Level, stored_values, values_at
from tests.factories import CategoryFactory, CategoryGroupFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def tops():
    return CategoryGroupFactory(name="Tops")


@pytest.fixture
def skirts():
    return CategoryGroupFactory(name="Skirts")


def save(*edits, at=NOON, user=None, reason=""):
    return save_edits(edits=edits, user=user, reason=reason, now=at)


def groups(a, b, similarity, seen=None):
    return Edit(Level.GROUPS, a.pk, b.pk, similarity, seen)


def test_a_pair_entered_either_way_round_is_one_value_for_both_orders(tops, skirts):
    shirt, skirt = CategoryFactory(group=tops), CategoryFactory(group=skirts)
    assert save(groups(skirts, tops, 0.35)) == 1
    assert GroupSimilarity.objects.count() == 1
    for a, b in ((shirt, skirt), (skirt, shirt)):
        assert CategoryPair.objects.get(a=a, b=b).similarity == 0.35


def test_saves_tell_who_when_why_old_and_new(tops, skirts):
    anna = User.objects.create_user("anna")
    shirt, skirt = (
        CategoryFactory(name="Shirt", group=tops),
        CategoryFactory(name="Skirt", group=skirts),
    )
    override = Edit(Level.CATEGORIES, shirt.pk, skirt.pk, 0.9, None)
    save(groups(tops, skirts, 0.3), override, at=NOON, user=anna, reason="shown together")
    later = NOON + timedelta(hours=1)
    taken_back = Edit(Level.CATEGORIES, shirt.pk, skirt.pk, None, 0.9)
    save(groups(tops, skirts, 0.4, seen=0.3), taken_back, at=later, user=anna)
    newest, first = recent_saves(10)
    assert (newest.at, newest.user, newest.reason) == (later, "anna", "")
    assert newest.changes == [
        Change("Tops", "Skirts", 0.3, 0.4),
        Change("Shirt", "Skirt", 0.9, None),
    ]
    assert (first.at, first.reason, len(first.changes)) == (NOON, "shown together", 2)
    assert first.changes[0] == Change("Tops", "Skirts", None, 0.3)


@pytest.mark.parametrize("similarity", [1.3, -0.1])
def test_one_value_outside_the_unit_interval_refuses_all(tops, skirts, similarity):
    shoes = CategoryGroupFactory()
    with pytest.raises(RefusedEditsError) as refused:
        save(groups(tops, shoes, 0.5), groups(tops, skirts, similarity))
    reason = f"a similarity lies between 0 and 1; got {similarity}"
    assert refused.value.reasons == {("groups", tops.pk, skirts.pk): reason}
    assert stored_values() == {}


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(tops, skirts):
    save(groups(tops, skirts, 0.3))
    with pytest.raises(RefusedEditsError, match=r"somebody changed it to 0\.3 meanwhile"):
        save(groups(tops, skirts, 0.5))
    with pytest.raises(RefusedEditsError, match="like itself by definition"):
        save(groups(tops, tops, 0.5))
    skirts_pk = skirts.pk
    skirts.delete()
    with pytest.raises(RefusedEditsError, match="deleted meanwhile"):
        save(Edit(Level.GROUPS, tops.pk, skirts_pk, 0.5, None))


def test_any_earlier_state_comes_back_exactly(tops, skirts):
    shirt, skirt = CategoryFactory(group=tops), CategoryFactory(group=skirts)
    save(groups(tops, skirts, 0.3), Edit(Level.CATEGORIES, shirt.pk, skirt.pk, 0.9, None))
    was = stored_values()
    save(
        groups(tops, skirts, None, seen=0.3),
        Edit(Level.CATEGORIES, shirt.pk, skirt.pk, 0.1, 0.9),
        at=NOON + timedelta(hours=1),
    )
    assert values_at(NOON - timedelta(hours=1)) == {}
    assert values_at(NOON + timedelta(minutes=1)) == was
    save(*edits_to(values_at(NOON), stored_values()), at=NOON + timedelta(hours=2))
    assert stored_values() == was
    assert len(recent_saves(100)) == 3


def test_an_earlier_state_leaves_out_what_was_deleted_since(tops, skirts):
    save(groups(tops, skirts, 0.3))
    skirts.delete()
    assert values_at(NOON) == {}


def test_a_file_brings_back_what_was_set_and_what_was_not(tops, skirts):
    shirt = CategoryFactory(name="=Shirt()", group=tops)
    skirt = CategoryFactory(name="Skirt", group=skirts)
    save(Edit(Level.CATEGORIES, shirt.pk, skirt.pk, 0.9, None))
    file = export_matrix()
    assert file == ("level,a,b,similarity\ngroups,Tops,Skirts,\ncategories,'=Shirt(),Skirt,0.9\n")
    assert read_edits(file.encode()) == []
    CategorySimilarity.objects.update(similarity=0.2)
    save(groups(tops, skirts, 0.7))
    assert read_edits(b"\xef\xbb\xbf" + file.encode()) == [
        groups(tops, skirts, None, seen=0.7),
        Edit(Level.CATEGORIES, shirt.pk, skirt.pk, 0.9, 0.2),
    ]


def test_a_bad_file_is_refused_by_line(tops, skirts):
    file = (
        b"level,a,b,similarity\n"
        b"groups,Tops,Skirts,2\n"
        b"groups,Tops,Hats,0.2\n"
        b"pairs,Tops,Skirts,0.2\n"
        b"groups,Tops,Tops,0.2\n"
        b"groups,Tops\n"
        b"groups,Tops,Skirts,0.2\n"
        b"groups,Skirts,Tops,0.3\n"
        b"groups,Skirts,Tops,nan\n"
    )
    with pytest.raises(CsvProblemsError) as refused:
        read_edits(file)
    assert refused.value.problems == [
        "line 2: a similarity lies between 0 and 1; got 2",
        "line 3: there is no groups entry named 'Hats'",
        "line 4: level must be groups or categories; got 'pairs'",
        "line 5: one thing is like itself by definition",
        "line 6: expected 4 cells",
        "line 8: this pair has another value in an earlier line",
        "line 9: a similarity lies between 0 and 1; got nan",
    ]
    for content, problem in ((b"a,b\n", "expected the columns"), (b"\xff\xfe", "not UTF-8")):
        with pytest.raises(CsvProblemsError, match=problem):
            read_edits(content)
