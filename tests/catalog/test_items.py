from pathlib import Path

import pytest

from catalog.importing.items import choose_groups, collect_items, refuse_contradictions
from catalog.importing.rows import ImportRow


def row(line=2, item_id="7", image=None, view="", pose=0, group="", **product):
    return ImportRow(
        line=line,
        file=f"{line}.jpg",
        item_id=item_id,
        image=Path(image or f"{line}.jpg"),
        product={"category": "Shirts", **product},
        category_group=group,
        view=view,
        pose=pose,
    )


def reasons(rows):
    return [str(problem) for problem in refuse_contradictions(rows)[1]]


def views(rows):
    (item,) = collect_items(rows)
    return {view: photo.line for view, photo in item.photos.items()}


def test_photos_without_a_view_are_numbered_in_order():
    assert views([row(2), row(3), row(4)]) == {"1": 2, "2": 3, "3": 4}


def test_numbers_that_are_views_already_are_passed_over():
    assert views([row(2), row(3, view="1"), row(4)]) == {"1": 3, "2": 2, "3": 4}


def test_named_and_unnamed_photos_of_an_item_go_together():
    assert views([row(2, view="back"), row(3), row(4, view="front")]) == {
        "back": 2,
        "front": 4,
        "1": 3,
    }


def test_a_views_further_poses_are_numbered_by_pose():
    poses = [row(2, view="front", pose=9), row(3, view="front", pose=1), row(4, view="side")]
    assert views(poses) == {"front": 3, "front-2": 2, "side": 4}


def test_the_same_item_and_view_again_is_a_problem():
    rows = [row(2, view="front"), row(3, view="front"), row(4, view="back")]
    assert reasons(rows) == ["line 3: view 'front' of item '7' again, after line 2"]


def test_the_same_item_view_and_pose_again_is_a_problem():
    rows = [row(2, view="front", pose=1), row(3, view="front", pose=1)]
    assert reasons(rows) == ["line 3: view 'front' of item '7' again, after line 2"]


def test_the_same_file_for_an_item_again_is_a_problem():
    rows = [row(2, image="a.jpg"), row(3, image="a.jpg")]
    assert reasons(rows) == ["line 3: the same photo of item '7' again, after line 2"]


def test_two_items_may_share_a_view_and_a_file():
    rows = [row(2, item_id="7", image="a.jpg"), row(3, item_id="8", image="a.jpg")]
    assert reasons(rows) == []
    assert [item.item_id for item in collect_items(rows)] == ["7", "8"]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("gender", "MEN", "WOMEN"), ("category", "Shirts", "Socks"), ("price", 1, 2)],
)
def test_rows_of_an_item_that_disagree_about_it_are_problems(name, first, second):
    rows = [row(2, **{name: first}), row(3, **{name: second}), row(4, **{name: first})]
    assert reasons(rows) == [
        f"line 3: item '7' has {name} '{second}' here, but '{first}' in line 2"
    ]


def test_a_value_left_empty_agrees_and_is_taken_from_another_row():
    rows = [row(2, title=None), row(3, title="A shirt"), row(4, title=None)]
    assert reasons(rows) == []
    assert collect_items(rows)[0].product == {"category": "Shirts", "title": "A shirt"}


def test_a_category_takes_the_group_that_most_rows_give_it():
    rows = [row(2, group="Tops"), row(3, group="Upper"), row(4, group="Upper"), row(5)]
    assert choose_groups(rows) == (
        {"Shirts": "Upper"},
        ["category 'Shirts' is listed under 'Upper' (rows: 2) and 'Tops' (rows: 1); "
         "'Upper' was taken"],
    )  # fmt: skip


def test_a_category_with_as_many_rows_in_two_groups_takes_the_first():
    groups, warnings = choose_groups([row(2, group="Tops"), row(3, group="Upper")])
    assert groups == {"Shirts": "Tops"}
    assert len(warnings) == 1
