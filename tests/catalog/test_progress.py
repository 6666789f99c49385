import pytest

from catalog import progress
from catalog.progress import StagedProgress


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then writes as to a terminal
    monkeypatch.setenv("TERM", "xterm")


def advance(to):
    with StagedProgress() as told:
        for done in range(to + 1):
            told("Reading photos", done, to)
        told("Writing the catalogue", 1, 2)


def test_what_takes_less_than_a_second_shows_nothing(terminal, capsys):
    advance(3)
    assert capsys.readouterr() == ("", "")


def test_what_takes_longer_shows_a_bar_per_stage_on_stderr(terminal, capsys, monkeypatch):
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1.0)
    advance(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Reading photos" in err and "3/3" in err
    assert "Writing the catalogue" in err and "1/2" in err


def test_nothing_is_shown_where_stderr_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1.0)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    advance(3)
    assert capsys.readouterr() == ("", "")
