from decimal import Decimal

import pytest

from catalog.importing.rows import UnusableSourceError
from catalog.importing.source import read_source
from tests.catalog.sources import draw, write_manifest

HEADER = "item_id,image,category"


def read(folder):
    return read_source(folder, None)


def problems(folder):
    return [str(problem) for problem in sorted(read(folder).problems)]


def test_every_column_reaches_its_row(tmp_path):
    write_manifest(
        tmp_path,
        f"{HEADER},gender,category_group,title,color,season,year,usage,price,view",
        "7,images/7.jpg,Shirts,women,Tops,A shirt,Blue,Fall,2011,Casual,19.90,Front",
    )
    (row,) = read(tmp_path).rows
    assert (row.line, row.item_id, row.category_group, row.view) == (2, "7", "Tops", "front")
    assert row.image == (tmp_path / "images/7.jpg").resolve()
    assert row.product == {
        "gender": "WOMEN",
        "category": "Shirts",
        "title": "A shirt",
        "color": "Blue",
        "season": "Fall",
        "year": 2011,
        "usage": "Casual",
        "price": Decimal("19.90"),
    }


def test_columns_that_are_absent_are_not_in_the_row_and_empty_cells_are_none(tmp_path):
    write_manifest(tmp_path, f"{HEADER},price", "7,images/7.jpg,Shirts,")
    (row,) = read(tmp_path).rows
    assert row.product == {"category": "Shirts", "price": None}


def test_a_price_of_zero_is_a_price(tmp_path):
    write_manifest(tmp_path, f"{HEADER},price", "7,images/7.jpg,Shirts,0")
    (row,) = read(tmp_path).rows
    assert row.product["price"] == 0


def test_the_manifest_itself_may_be_given(tmp_path):
    manifest = write_manifest(tmp_path, HEADER, "7,images/7.jpg,Shirts")
    assert len(read_source(manifest, None).rows) == 1


def test_column_names_in_capitals_and_with_spaces_are_known(tmp_path):
    write_manifest(tmp_path, "Item_ID, Image ,CATEGORY", "7, images/7.jpg ,Shirts")
    draw(tmp_path / "images/7.jpg")
    (row,) = read(tmp_path).rows
    assert row.item_id == "7"


def test_unknown_columns_are_named_in_one_warning(tmp_path):
    write_manifest(tmp_path, f"{HEADER},sender,kids", "7,images/7.jpg,Shirts,1,no")
    source = read(tmp_path)
    assert source.warnings == [
        "unknown columns of the manifest were ignored: 'sender', 'kids'",
    ]
    assert len(source.rows) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path, encoding):
    manifest = write_manifest(tmp_path, f"{HEADER},title", "7,images/7.jpg,Shirts,Café")
    manifest.write_text(manifest.read_text(encoding="utf-8"), encoding=encoding)
    source = read(tmp_path)
    assert [row.product["title"] for row in source.rows] == ["Café"]
    assert source.warnings == []


def test_windows_1252_is_read_with_one_warning(tmp_path):
    manifest = write_manifest(tmp_path, f"{HEADER},title", "7,images/7.jpg,Shirts,Café · 5 €")
    manifest.write_text(manifest.read_text(encoding="utf-8"), encoding="cp1252")
    source = read(tmp_path)
    assert [row.product["title"] for row in source.rows] == ["Café · 5 €"]
    assert source.warnings == [
        "the manifest is not UTF-8 (first seen in line 2); it was read as Windows-1252"
    ]


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "manifest.csv").write_bytes(b"item_id,image,category\n\x81\x8d\xff\n")
    with pytest.raises(UnusableSourceError, match="is neither UTF-8 nor Windows-1252 text"):
        read(tmp_path)


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_are_line_ends(tmp_path, line_end):
    manifest = write_manifest(tmp_path, HEADER, "7,images/7.jpg,Shirts", "8,images/8.jpg,Shirts")
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", line_end.encode()))
    assert [row.line for row in read(tmp_path).rows] == [2, 3]


def test_lines_are_counted_through_quoted_line_ends_and_empty_lines(tmp_path):
    write_manifest(
        tmp_path,
        f"{HEADER},title",
        '7,images/7.jpg,Shirts,"two\nlines"',
        "",
        ",,,",
        "8,images/8.jpg,Shirts,ok",
        "9,images/9.jpg,,bad",
    )
    assert [row.line for row in read(tmp_path).rows] == [2, 6]
    assert problems(tmp_path) == ["line 7: category: it is empty"]


def test_ragged_lines_are_problems(tmp_path):
    write_manifest(
        tmp_path, HEADER, "7,images/7.jpg", "8,images/8.jpg,Shirts", "9,images/9.jpg,Shirts,more"
    )
    assert [row.item_id for row in read(tmp_path).rows] == ["8"]
    assert problems(tmp_path) == [
        "line 2: expected 3 cells, as the first line has, got 2",
        "line 4: expected 3 cells, as the first line has, got 4",
    ]


def test_a_cell_of_a_million_characters_is_a_problem_of_its_line_only(tmp_path):
    write_manifest(
        tmp_path,
        f"{HEADER},title",
        "7,images/7.jpg,Shirts,ok",
        f"8,images/8.jpg,Shirts,{'x' * 1_000_000}",
        "9,images/9.jpg,Shirts,ok",
    )
    assert [row.item_id for row in read(tmp_path).rows] == ["7", "9"]
    assert problems(tmp_path) == [
        "line 3: not readable as CSV: field larger than field limit (131072)"
    ]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [('"open', "unexpected end of data"), ('"closed"x', "',' expected after '\"'")],
)
def test_a_quote_out_of_place_is_a_problem_and_swallows_nothing_unnoticed(tmp_path, cell, reason):
    line = f"8,images/8.jpg,Shirts,{cell}"
    write_manifest(tmp_path, f"{HEADER},title", "7,images/7.jpg,Shirts,ok", line)
    assert problems(tmp_path) == [f"line 3: not readable as CSV: {reason}"]


BAD_VALUES = [
    ("price", "NaN", "price: Enter a number, got 'NaN'"),
    ("price", "Infinity", "price: Enter a number, got 'Infinity'"),
    ("price", "-1", "price: Ensure this value is greater than or equal to 0, got '-1'"),
    ("price", "1.999", "price: Ensure that there are no more than 2 decimal places, got '1.999'"),
    ("price", "1e400", "price: Ensure that there are no more than 10 digits in total, got '1e400'"),
    ("price", "5 EUR", "price: Enter a number, got '5 EUR'"),
    ("year", "MMXI", "year: Enter a whole number, got 'MMXI'"),
    ("year", "20111", "year: Ensure this value is less than or equal to 2100, got '20111'"),
    (
        "gender",
        "Ladies",
        "gender: expected one of WOMEN, MEN, UNISEX, GIRLS, BOYS, got 'Ladies'",
    ),
    ("title", "a\0b", r"title: Null characters are not allowed, got 'a\x00b'"),
    (
        "title",
        "x" * 301,
        "title: Ensure this value has at most 300 characters (it has 301), "
        f"got '{'x' * 27}...{'x' * 28}'",
    ),
    (
        "view",
        "v" * 28,
        f"view: Ensure this value has at most 27 characters (it has 28), got '{'v' * 28}'",
    ),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD_VALUES)
def test_a_bad_value_is_named_with_its_line(tmp_path, column, value, reason):
    write_manifest(tmp_path, f"{HEADER},{column}", f"7,images/7.jpg,Shirts,{value}")
    assert problems(tmp_path) == [f"line 2: {reason}"]


def test_all_reasons_of_a_line_are_told_at_once(tmp_path):
    write_manifest(tmp_path, f"{HEADER},price,year", ",images/7.jpg,,x,y")
    assert problems(tmp_path) == [
        "line 2: item_id: it is empty; category: it is empty; "
        "price: Enter a number, got 'x'; year: Enter a whole number, got 'y'"
    ]


def test_formulas_are_text(tmp_path):
    write_manifest(tmp_path, f"{HEADER},title,color", "=1+1,images/7.jpg,@cat,=cmd(),+red")
    (row,) = read(tmp_path).rows
    assert (row.item_id, row.product["category"]) == ("=1+1", "@cat")
    assert (row.product["title"], row.product["color"]) == ("=cmd()", "+red")


@pytest.mark.parametrize("column", ["image", "segmentation_map"])
@pytest.mark.parametrize("kind", ["parent", "inner parent", "absolute", "link", "folder link"])
def test_a_path_that_leads_out_of_the_manifests_folder_is_refused(tmp_path, column, kind):
    outside = draw(tmp_path / "outside" / "secret.png")
    folder = tmp_path / "shop"
    draw(folder / "ok.png")
    (folder / "link.png").symlink_to(outside)
    (folder / "out").symlink_to(outside.parent)
    name, reason = {
        "parent": ("../outside/secret.png", "expected a path beneath the manifest's folder"),
        "inner parent": ("a/../../outside/secret.png", "expected a path beneath the manifest's"),
        "absolute": (str(outside), "expected a path beneath the manifest's folder"),
        "link": ("link.png", "it is a link that leads out of the manifest's folder"),
        "folder link": ("out/secret.png", "it is a link that leads out of the manifest's folder"),
    }[kind]
    image, found_map = (name, "") if column == "image" else ("ok.png", name)
    write_manifest(folder, f"{HEADER},segmentation_map", f"7,{image},Shirts,{found_map}")
    (problem,) = problems(folder)
    assert problem.startswith(f"line 2: {column}: {reason}")


def test_a_link_within_the_folder_is_followed(tmp_path):
    draw(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    write_manifest(tmp_path, HEADER, "7,b.jpg,Shirts")
    assert read(tmp_path).rows[0].image == (tmp_path / "a.jpg").resolve()


@pytest.mark.parametrize("name", ["none.jpg", "x" * 300 + ".jpg", "loop.jpg", "images"])
def test_a_missing_photo_is_named_with_its_line(tmp_path, name):
    draw(tmp_path / "images" / "other.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    write_manifest(tmp_path, HEADER, f"7,{name},Shirts")
    (problem,) = problems(tmp_path)
    assert problem.startswith("line 2: image: there is no such file, got ")


def test_a_map_column_wins_over_a_map_folder(tmp_path):
    draw(tmp_path / "segm" / "7_segm.png")
    beside = draw(tmp_path / "segm" / "8_segm.png")
    own = draw(tmp_path / "own.png")
    write_manifest(
        tmp_path,
        f"{HEADER},segmentation_map",
        "7,images/7.jpg,Shirts,own.png",
        "8,images/8.jpg,Shirts,",
    )
    assert [row.segmentation_map for row in read(tmp_path).rows] == [own.resolve(), beside]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("item_id,category", "lacks the column image: its first line must name "),
        ("item_id;image;category", "lacks the column item_id and image and category: "),
        ("", "lacks the column item_id and image and category: "),
    ],
)
def test_a_manifest_without_its_required_columns_is_refused(tmp_path, header, message):
    (tmp_path / "manifest.csv").write_text(header, encoding="utf-8")
    with pytest.raises(UnusableSourceError) as error:
        read(tmp_path)
    assert message in str(error.value)
    assert str(error.value).endswith(f"separated by commas; it is '{header}'.")


def test_a_column_named_twice_is_refused(tmp_path):
    write_manifest(tmp_path, f"{HEADER},image", "7,a.jpg,Shirts,b.jpg")
    with pytest.raises(UnusableSourceError, match="names a column twice: image"):
        read(tmp_path)


def test_a_manifest_without_rows_is_refused(tmp_path):
    write_manifest(tmp_path, HEADER)
    with pytest.raises(UnusableSourceError, match="has no row below its column names"):
        read(tmp_path)
