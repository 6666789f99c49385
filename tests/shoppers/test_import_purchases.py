"""Real purchases come in from a file: once, exactly, and with every refusal explained."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Gender
from shoppers.csv_file import BadLinesError, CsvFileError
from shoppers.models import ProductPopularity, Purchase, Shopper
from shoppers.services import (
    import_purchases,
    rebuild_popularity,
    reset_simulation,
    simulate_purchases,
)
from tests.factories import ProductFactory, ShopperFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def products():
    return [
        ProductFactory(item_id="dress", gender=Gender.WOMEN),
        ProductFactory(item_id="skirt", gender=Gender.WOMEN),
        ProductFactory(item_id="tie", gender=Gender.MEN),
    ]


@pytest.fixture
def write_file(tmp_path):
    def write(*lines, encoding="utf-8"):
        path = tmp_path / "purchases.csv"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        return path

    return write


HEADER = "shopper,item_id,timestamp"


def stored():
    rows = Purchase.objects.values_list("shopper__external_id", "product__item_id", "purchased_at")
    return sorted(rows)


def test_purchases_are_stored_as_real_ones_and_counted(write_file):
    report = import_purchases(
        path=write_file(
            HEADER,
            "ann,dress,2025-03-01T12:00:00Z",
            "ann,tie,2025-03-01T12:00:00+02:00",
            "bob,dress,2025-03-02",
        )
    )
    assert stored() == [
        ("ann", "dress", datetime(2025, 3, 1, 12, tzinfo=UTC)),
        ("ann", "tie", datetime(2025, 3, 1, 10, tzinfo=UTC)),
        ("bob", "dress", datetime(2025, 3, 2, tzinfo=UTC)),
    ]
    assert (report.n_added, report.n_already_there, report.n_new_shoppers) == (3, 0, 2)
    assert report.bad_rows == []
    assert not Purchase.objects.filter(is_simulated=True).exists()
    counted = ProductPopularity.objects.order_by("product__item_id")
    assert list(counted.values_list("counted", flat=True)) == [2, 0, 1]
    assert rebuild_popularity() == 0


def test_importing_twice_changes_nothing(write_file):
    path = write_file(HEADER, "ann,dress,2025-03-01T12:00:00", "ann,dress,2025-03-01T12:00:00Z")
    first = import_purchases(path=path)
    second = import_purchases(path=path)
    assert (first.n_added, first.n_already_there) == (1, 1)  # the two lines say the same
    assert (second.n_added, second.n_already_there, second.n_new_shoppers) == (0, 2, 0)
    assert len(stored()) == 1
    assert ProductPopularity.objects.get(product__item_id="dress").counted == 1


def test_a_new_shoppers_gender_is_that_of_all_they_bought_or_unisex(write_file):
    import_purchases(
        path=write_file(
            HEADER,
            "ann,dress,2025-03-01",
            "ann,skirt,2025-03-02",
            "both,dress,2025-03-01",
            "both,tie,2025-03-01",
            "tom,tie,2025-03-01",
        )
    )
    genders = dict(Shopper.objects.values_list("external_id", "gender"))
    assert genders == {"ann": Gender.WOMEN, "both": Gender.UNISEX, "tom": Gender.MEN}


def test_optional_columns_describe_new_shoppers_and_leave_old_ones_alone(write_file):
    ShopperFactory(external_id="old", gender=Gender.MEN, trendiness=0.9)
    import_purchases(
        path=write_file(
            "timestamp,shopper,item_id,gender,trendiness,latitude,longitude",
            "2025-03-02,new,tie,,,,",
            "2025-03-01,new,tie,women,0.25,48.2,16.4",
            "2025-03-03,new,tie,MEN,0.75,0,0",
            "2025-03-01,old,tie,WOMEN,0.1,1,1",
        )
    )
    fields = ("gender", "trendiness", "latitude", "longitude", "is_simulated")
    assert list(Shopper.objects.order_by("external_id").values_list(*fields)) == [
        (Gender.WOMEN, 0.25, 48.2, 16.4, False),
        (Gender.MEN, 0.9, None, None, False),
    ]


def test_unknown_columns_are_ignored_and_named(write_file):
    report = import_purchases(
        path=write_file("shopper,item_id,timestamp,basket", "ann,tie,2025-03-01,7")
    )
    assert report.ignored_columns == ("basket",)
    assert report.n_added == 1


def test_a_byte_order_mark_blank_lines_and_quotes_are_understood(write_file):
    report = import_purchases(
        path=write_file(HEADER, '"ann, the first",dress,2025-03-01', "", encoding="utf-8-sig")
    )
    assert report.bad_rows == []
    assert Shopper.objects.get().external_id == "ann, the first"


def test_formulas_are_stored_literally(write_file):
    import_purchases(path=write_file(HEADER, "=1+1,dress,2025-03-01"))
    assert Shopper.objects.get().external_id == "=1+1"


BAD_LINES = [
    ("ann,hat,2025-03-01", "unknown item_id 'hat'; import its product first"),
    (
        "ann,dress,yesterday",
        "timestamp 'yesterday' is not ISO 8601, such as 2025-03-01T12:30:00Z",
    ),
    (
        "ann,dress,0001-01-01T00:00:00+23:00",
        "timestamp '0001-01-01T00:00:00+23:00' is not ISO 8601, such as 2025-03-01T12:30:00Z",
    ),
    ("ann,dress,", "timestamp '' is not ISO 8601, such as 2025-03-01T12:30:00Z"),
    (",dress,2025-03-01", "shopper is empty"),
    ("ann,,2025-03-01", "item_id is empty"),
    ("x" * 201 + ",dress,2025-03-01", "shopper is longer than 200 characters or has a NUL"),
    ("a\0n,dress,2025-03-01", "shopper is longer than 200 characters or has a NUL"),
    ("ann,dress", "2 cells, expected 3"),
    ("ann,dress,2025-03-01,more", "4 cells, expected 3"),
    ("y" * 140_000 + ",dress,2025-03-01", "not CSV: field larger than field limit (131072)"),
]


def test_every_bad_line_is_listed_and_nothing_is_imported(write_file):
    path = write_file(HEADER, *(line for line, _ in BAD_LINES), "bob,tie,2025-03-01")
    with pytest.raises(BadLinesError) as refusal:
        import_purchases(path=path)
    assert [str(bad_row) for bad_row in refusal.value.bad_rows] == [
        f"line {number}: {reason}" for number, (_, reason) in enumerate(BAD_LINES, 2)
    ]
    assert str(refusal.value) == (
        "Nothing was imported because of 11 bad lines; "
        "correct them, or leave them out with --on-error skip."
    )
    assert not Purchase.objects.exists()
    assert not Shopper.objects.exists()


def test_bad_lines_can_be_skipped(write_file):
    path = write_file(HEADER, *(line for line, _ in BAD_LINES), "bob,tie,2025-03-01")
    report = import_purchases(path=path, on_error="skip")
    assert stored() == [("bob", "tie", datetime(2025, 3, 1, tzinfo=UTC))]
    assert len(report.bad_rows) == len(BAD_LINES)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("gender", "robot", "gender 'robot' is none of WOMEN, MEN, UNISEX, GIRLS, BOYS"),
        ("trendiness", "1.5", "trendiness '1.5' is not a number from 0 to 1"),
        ("trendiness", "nan", "trendiness 'nan' is not a number from 0 to 1"),
        ("latitude", "48", "latitude and longitude belong together; give both or neither"),
        ("longitude", "many", "longitude 'many' is not a number from -180 to 180"),
    ],
)
def test_a_bad_description_of_a_shopper_is_refused(write_file, column, cell, reason):
    path = write_file(f"{HEADER},{column}", f"ann,tie,2025-03-01,{cell}")
    with pytest.raises(BadLinesError) as refusal:
        import_purchases(path=path)
    assert [str(bad_row) for bad_row in refusal.value.bad_rows] == [f"line 2: {reason}"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["shopper,item,when", "ann,tie,2025-03-01"],
            "has no column item_id, timestamp: expected the header shopper,item_id,timestamp, "
            "not 'shopper,item,when'.",
        ),
        (
            [],
            "has no column shopper, item_id, timestamp: expected the header "
            "shopper,item_id,timestamp, not 'an empty file'.",
        ),
        (
            ["shopper,item_id,timestamp,shopper"],
            "names a column twice: shopper,item_id,timestamp,shopper.",
        ),
    ],
)
def test_a_file_with_a_wrong_header_is_refused(write_file, lines, message):
    path = write_file(*lines)
    with pytest.raises(CsvFileError) as refusal:
        import_purchases(path=path)
    assert str(refusal.value) == f"{path} {message}"


def test_a_file_in_another_encoding_is_refused(write_file):
    path = write_file(HEADER, "rené,tie,2025-03-01", encoding="cp1252")
    with pytest.raises(CsvFileError, match=r"is not UTF-8 text .*; save it as UTF-8\.$"):
        import_purchases(path=path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CsvFileError) as refusal:
        import_purchases(path=tmp_path / "none.csv")
    assert str(refusal.value) == f"Cannot read {tmp_path / 'none.csv'}: No such file or directory."


def test_an_exported_year_can_be_imported_as_real_purchases(tmp_path):
    path = tmp_path / "year.csv"
    options = {"n_shoppers": 20, "max_purchases": 3, "n_stores": 1, "year": 2025, "seed": 1}
    summary = simulate_purchases(**options, export=path)
    simulated = stored()
    assert import_purchases(path=path).n_added == 0
    reset_simulation()
    report = import_purchases(path=path)
    assert report.n_added == summary.n_purchases
    assert stored() == simulated
    assert not Purchase.objects.filter(is_simulated=True).exists()


def run_command(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("import_purchases", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error), error.returncode
    return out.getvalue(), err.getvalue(), "", 0


def test_the_command_says_in_one_line_what_came_of_it(write_file):
    out, err, error, returncode = run_command(write_file(HEADER, "ann,tie,2025-03-01"))
    assert out.startswith("Imported 1 purchases and 1 new shoppers in ")
    assert out.endswith(" s; 0 purchases were already there.\n")
    assert (err, error, returncode) == ("", "", 0)


def test_the_commands_exit_status_tells_nothing_from_part(write_file):
    path = write_file(HEADER, "ann,tie,2025-03-01", "ann,hat,2025-03-01")
    out, err, error, returncode = run_command(path)
    assert (out, returncode) == ("", 1)
    assert err == "line 3: unknown item_id 'hat'; import its product first\n"
    assert error.startswith("Nothing was imported")
    out, _, error, returncode = run_command(path, "--on-error", "skip")
    assert out.startswith("Imported 1 purchases")
    assert (error, returncode) == ("Left out 1 bad lines.", 2)


def test_the_command_lists_a_hundred_bad_lines_and_counts_the_rest(write_file):
    path = write_file(HEADER, *["ann,hat,2025-03-01"] * 150)
    _, err, _, _ = run_command(path)
    assert len(err.splitlines()) == 101
    assert err.endswith("... and 50 more bad lines\n")
