"""Reports appear whole or not at all, and never over something that is no report."""

from datetime import UTC, datetime

import pytest

from recommender.evaluation.folders import (
    ReportFolderError,
    check_destination,
    point_latest,
    timed_folder,
    whole_folder,
)

NOON = datetime(2025, 5, 4, 12, 0, 0, tzinfo=UTC)


def write_report(folder, text="{}"):
    with whole_folder(folder) as partial:
        (partial / "evaluation.json").write_text(text)


def test_a_folder_is_there_only_when_it_is_complete(tmp_path):
    with whole_folder(tmp_path / "report") as partial:
        (partial / "evaluation.json").write_text("{}")
        assert not (tmp_path / "report").exists()
    assert (tmp_path / "report" / "evaluation.json").read_text() == "{}"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_report_leaves_nothing(tmp_path, end):
    with pytest.raises(end), whole_folder(tmp_path / "report") as partial:
        (partial / "half").write_text("")
        raise end
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_report_leaves_the_earlier_one(tmp_path):
    write_report(tmp_path / "report", "first")
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "report"):
        raise KeyboardInterrupt
    assert (tmp_path / "report" / "evaluation.json").read_text() == "first"


def test_an_earlier_report_is_replaced_with_all_its_files(tmp_path):
    write_report(tmp_path / "report", "first")
    (tmp_path / "report" / "old.png").write_text("")
    check_destination(tmp_path / "report")
    write_report(tmp_path / "report", "second")
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["evaluation.json"]
    assert (tmp_path / "report" / "evaluation.json").read_text() == "second"


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ReportFolderError) as refused:
        check_destination(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} has files that are no report: name another folder, or empty this one."
    )


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "report").write_text("")
    with pytest.raises(ReportFolderError) as refused:
        check_destination(tmp_path / "report")
    assert str(refused.value) == (
        f"Expected a folder for the report, found a file or a link at {tmp_path / 'report'}: "
        "name another."
    )


def test_a_parent_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportFolderError, match=f"^Cannot make {tmp_path / 'file'}"):
        check_destination(tmp_path / "file" / "report")


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b"):
        check_destination(folder)
        write_report(folder)
        assert (folder / "evaluation.json").exists()


def test_two_reports_of_one_second_get_two_folders(tmp_path):
    first = timed_folder(tmp_path, NOON)
    first.mkdir()
    assert first.name == "2025-05-04T12-00-00Z"
    assert timed_folder(tmp_path, NOON).name == "2025-05-04T12-00-00Z-2"


def test_latest_moves_to_the_newest_report_and_survives_moving_the_home(tmp_path):
    for name in ("first", "second"):
        write_report(tmp_path / name, name)
        point_latest(tmp_path / name)
    assert (tmp_path / "latest" / "evaluation.json").read_text() == "second"
    assert not (tmp_path / "latest").readlink().is_absolute()


def test_a_folder_named_latest_is_not_ours_to_replace(tmp_path):
    (tmp_path / "latest").mkdir()
    write_report(tmp_path / "report")
    with pytest.raises(ReportFolderError) as refused:
        point_latest(tmp_path / "report")
    assert str(refused.value) == (
        f"The report is in {tmp_path / 'report'}, but {tmp_path / 'latest'} is no link of ours: "
        "move it away."
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "report"]
