import pytest

from benchmarks.__main__ import main
from benchmarks.commands import load_commands


@pytest.mark.parametrize("name", load_commands())
def test_each_benchmark_explains_its_options(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert "--json" in printed
    assert load_commands()[name].__doc__.strip().splitlines()[0] in printed


def test_an_unknown_benchmark_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["sculptures"])
    assert stopped.value.code == 2
    assert "recommendations" in capsys.readouterr().err


def test_int8_without_nncf_says_what_to_install(tmp_path, monkeypatch):
    from benchmarks import int8

    monkeypatch.setattr(int8, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install nncf"):
        int8.run("mobilenet_v2", tmp_path, n_calibrate=1, n_check=1, seed=1)
