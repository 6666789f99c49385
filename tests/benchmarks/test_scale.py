"""The scale benchmark's arithmetic, its child processes and its plot."""

import numpy as np
import pytest

from benchmarks.scaling import plot
from benchmarks.scaling.measure import _figures, _summary
from benchmarks.scaling.processes import Usage, run_command


def rows(seconds_of) -> list[dict]:
    return [_figures(n, Usage(seconds_of(n), 1.0, 100.0)) for n in (1_000, 4_000, 16_000)]


def test_the_exponent_is_that_of_the_growth():
    assert _summary(rows(lambda n: 3e-3 * n))["growth_exponent"] == 1
    assert _summary(rows(lambda n: 1e-6 * n**2))["growth_exponent"] == 2


def test_a_start_of_its_own_is_told_from_what_each_shopper_takes():
    summary = _summary(rows(lambda n: 5 + 2e-3 * n))
    assert summary["start_seconds"] == pytest.approx(5, abs=0.01)
    assert summary["seconds_per_1000_shoppers"] == pytest.approx(2, abs=0.01)
    assert summary["growth_exponent"] < 1


def test_one_size_has_no_growth():
    assert _summary(rows(lambda n: n)[:1])["growth_exponent"] is None


def test_a_commands_time_and_memory_are_its_own(tmp_path):
    ballast = np.ones(60_000_000)  # 458 MiB of this process, which the child does not have
    usage = run_command(["help"], tmp_path)
    assert ballast.all()
    assert usage.cpu_seconds > 0
    assert 10 < usage.peak_memory_mib < 400


def test_a_failing_command_is_quoted(tmp_path):
    with pytest.raises(ValueError, match=r"manage\.py no_such_command failed: .*help"):
        run_command(["no_such_command"], tmp_path)


def test_the_same_figures_draw_the_same_plot(tmp_path):
    sizes = rows(lambda n: 1e-3 * n)
    figures = {"data": "nothing", "growth": {"evaluate": {"sizes": sizes, **_summary(sizes)}}}
    for name in ("a.svg", "b.svg"):
        plot.draw(figures, tmp_path / name)
    drawn = (tmp_path / "a.svg").read_text()
    assert drawn == (tmp_path / "b.svg").read_text()
    assert "evaluate, exponent 1.00" in drawn
