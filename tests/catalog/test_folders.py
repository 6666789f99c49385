import os

import pytest

from catalog.importing.rows import UnusableSourceError
from catalog.importing.source import read_source
from tests.catalog.sources import DRESS, draw


def read(path, segmentation=None):
    return read_source(path, segmentation)


def by_item(source):
    return {row.item_id: row for row in source.rows}


def test_a_deepfashion_name_tells_item_gender_category_and_view(tmp_path):
    draw(tmp_path / DRESS)
    source = read(tmp_path)
    (row,) = source.rows
    assert (row.item_id, row.view, row.pose) == ("id_00000012-01", "full", 4)
    assert row.product == {"gender": "WOMEN", "category": "Dresses"}
    assert (source.problems, source.warnings) == ([], [])


def test_one_deepfashion_name_makes_every_other_name_a_problem(tmp_path):
    draw(tmp_path / DRESS)
    draw(tmp_path / "red.jpg")
    draw(tmp_path / "WOMEN-Dresses-id_13-01_4_full.jpg")
    assert [str(problem).split(", such as")[0] for problem in sorted(read(tmp_path).problems)] == [
        f"file {name}: expected a name like "
        "{WOMEN|MEN}-{category}-id_{8 digits}-{2 digits}_{digits}_{view}.{jpg|png}"
        for name in ("WOMEN-Dresses-id_13-01_4_full.jpg", "red.jpg")
    ]


def test_folders_are_categories_and_loose_photos_have_none(tmp_path):
    draw(tmp_path / "Dresses" / "red.JPG")
    draw(tmp_path / "Shoes" / "red.webp")
    draw(tmp_path / "loose.png")
    rows = by_item(read(tmp_path))
    assert {item_id: row.product for item_id, row in rows.items()} == {
        "Dresses/red": {"category": "Dresses"},
        "Shoes/red": {"category": "Shoes"},
        "loose": {},
    }


def test_names_from_macos_and_linux_make_the_same_item(tmp_path):
    draw(tmp_path / "Ro\u0302be" / "e\u0301te\u0301.jpg")
    (row,) = read(tmp_path).rows
    assert (row.item_id, row.product["category"]) == ("R\u00f4be/\u00e9t\u00e9", "R\u00f4be")


def test_photos_too_deep_are_a_problem(tmp_path):
    draw(tmp_path / "a" / "b" / "red.jpg")
    draw(tmp_path / "a" / "blue.jpg")
    source = read(tmp_path)
    assert [row.item_id for row in source.rows] == ["a/blue"]
    assert [str(problem) for problem in source.problems] == [
        "file a/b: lies too deep: expected <category>/<photo> or <photo>"
    ]


def test_hidden_files_are_passed_over_and_other_files_named_once(tmp_path):
    draw(tmp_path / "red.jpg")
    draw(tmp_path / ".trash" / "old.jpg")
    for name in (".DS_Store", "notes.txt", "more.txt", "raw.heic"):
        (tmp_path / name).touch()
    source = read(tmp_path)
    assert [row.item_id for row in source.rows] == ["red"]
    assert source.warnings == [
        "files that are not photos were ignored: .txt (2), .heic (1); "
        "photos are .jpg, .jpeg, .png, .webp"
    ]


def test_a_name_too_long_for_an_item_id_is_a_problem(tmp_path):
    draw(tmp_path / f"{'x' * 201}.jpg")
    (problem,) = read(tmp_path).problems
    assert "item_id: Ensure this value has at most 200 characters (it has 201)" in str(problem)


def test_a_name_that_is_not_utf8_is_a_problem_and_prints(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/r\xe9d.jpg", os.O_CREAT))
    (problem,) = read(tmp_path).problems
    assert str(problem).startswith(r"file 'r\udce9d.jpg': item_id: it is not valid UTF-8, got ")
    assert str(problem).encode()


def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path):
    draw(tmp_path / DRESS)
    draw(tmp_path / "\x1b[31mred\u202e.jpg")
    (problem,) = read(tmp_path).problems
    assert str(problem).isprintable()


def test_images_beside_segm_are_found_with_their_maps(tmp_path):
    draw(tmp_path / "images" / DRESS)
    found = draw(tmp_path / "segm" / DRESS.replace(".jpg", "_segm.png"))
    for path in (tmp_path, tmp_path / "images"):
        (row,) = read(path).rows
        assert row.segmentation_map == found


def test_a_segmentation_folder_given_wins_over_the_one_beside(tmp_path):
    draw(tmp_path / "images" / "red.jpg")
    draw(tmp_path / "segm" / "red_segm.png")
    mine = draw(tmp_path / "mine" / "red_segm.png")
    (row,) = read(tmp_path / "images", tmp_path / "mine").rows
    assert row.segmentation_map == mine


def test_maps_beside_their_photos_are_maps_and_not_photos(tmp_path):
    draw(tmp_path / "Dresses" / "red.jpg")
    found = draw(tmp_path / "Dresses" / "red_segm.png")
    (row,) = read(tmp_path).rows
    assert row.segmentation_map == found


def test_maps_may_lie_in_folders_like_the_photos(tmp_path):
    draw(tmp_path / "images" / "Dresses" / "red.jpg")
    draw(tmp_path / "images" / "Shoes" / "red.jpg")
    found = draw(tmp_path / "segm" / "Shoes" / "red_segm.png")
    rows = by_item(read(tmp_path))
    assert rows["Shoes/red"].segmentation_map == found
    assert rows["Dresses/red"].segmentation_map is None


def test_a_map_that_could_belong_to_two_photos_is_given_to_none(tmp_path):
    draw(tmp_path / "images" / "Dresses" / "red.jpg")
    draw(tmp_path / "images" / "Shoes" / "red.jpg")
    draw(tmp_path / "segm" / "red_segm.png")
    assert [row.segmentation_map for row in read(tmp_path).rows] == [None, None]


def test_a_segmentation_folder_without_a_fitting_map_is_a_warning(tmp_path):
    draw(tmp_path / "photos" / "red.jpg")
    (tmp_path / "maps").mkdir()
    source = read(tmp_path / "photos", tmp_path / "maps")
    assert source.warnings == [
        f"no photo has a map in {tmp_path / 'maps'}; expected <name>_segm.png for <name>.jpg"
    ]


def test_an_images_folder_alone_is_no_category(tmp_path):
    draw(tmp_path / "images" / "red.jpg")
    assert [row.item_id for row in read(tmp_path).rows] == ["red"]


def test_an_images_folder_among_other_categories_is_one(tmp_path):
    draw(tmp_path / "images" / "red.jpg")
    draw(tmp_path / "Dresses" / "red.jpg")
    assert sorted(by_item(read(tmp_path))) == ["Dresses/red", "images/red"]


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UnusableSourceError) as error:
        read(tmp_path / "none")
    assert str(error.value) == (
        f"{tmp_path / 'none'} does not exist; "
        "expected a folder of photos or one with a manifest.csv."
    )


def test_a_file_that_is_no_manifest_is_refused(tmp_path):
    photo = draw(tmp_path / "red.jpg")
    with pytest.raises(UnusableSourceError) as error:
        read(photo)
    assert str(error.value) == f"{photo} is a file; expected a folder of photos or a manifest.csv."


def test_a_segmentation_folder_that_does_not_exist_is_refused(tmp_path):
    draw(tmp_path / "red.jpg")
    with pytest.raises(UnusableSourceError) as error:
        read(tmp_path, tmp_path / "none")
    assert str(error.value) == f"{tmp_path / 'none'} is not a folder of segmentation maps."


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([], "nothing"),
        (["notes.txt"], ".txt"),
        (["a/b/red.jpg"], "photos only deeper, in a/b"),
    ],
)
def test_a_folder_without_photos_is_refused(tmp_path, files, found):
    for name in files:
        draw(tmp_path / name)
    with pytest.raises(UnusableSourceError) as error:
        read(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} holds no photo: expected .jpg, .jpeg, .png, .webp files in it or in folders "
        f"named by category, or a manifest.csv; found {found}."
    )
