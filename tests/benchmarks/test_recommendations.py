"""The whole benchmark at its smallest, in a home of its own, as a user runs it."""

import json
import os
import subprocess
import sys

import pytest

from fashrec_site.home import PROJECT_ROOT

TINY = [
    *("--products", "300", "--data", "clusters", "--shoppers", "3", "--popularity", "integers"),
    *("--exact-shoppers", "2", "--loop-shoppers", "1", "--rivals", "--window", "0.1"),
    *("--churn-rounds", "1"),
]


def benchmark(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=PROJECT_ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    path = tmp_path_factory.mktemp("figures") / "tiny.json"
    result = benchmark("recommendations", *TINY, "--json", path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == json.loads(path.read_text())
    return json.loads(path.read_text())


def test_the_figures_say_what_was_measured_on_what(figures):
    assert figures["data"]["label"].startswith("SYNTHETIC: 300 clustered")
    assert figures["settings"]["rails"] == 15
    assert {"machine", "commit", "measured_at", "not_measured"} <= figures.keys()


def test_every_case_is_judged_by_the_oracle(figures):
    assert [case["weights"] for case in figures["cases"]] == [
        *("0.7/0.3/0", "0.7/0.2/0.1", "0.4/0.2/0", "0.3/0.7/0", "0/1/0"),
    ]
    for case in figures["cases"]:
        for path in ("index", "exact_sql"):
            assert case[path]["recall_at_5"] == 1.0  # so few products are ranked exactly
            assert case[path]["max_relevance_error"] < 1e-5
            assert case[path]["n_wrong"] == 0


def test_the_headline_has_the_plainly_named_figures(figures):
    assert {
        *("recall_at_5", "recall_at_5_lower_95", "mean_regret", "p50_ms", "p95_ms"),
        *("shoppers_per_second", "ratio_to_exact_sql", "ratio_to_naive_loop", "proven_share"),
    } <= figures["headline"].keys()


def test_every_part_answers(figures):
    filters = figures["filters"]
    assert filters["gender_category"]["share_of_products"] < filters["gender"]["share_of_products"]
    assert [f["n_rails_short"] for f in filters.values() if isinstance(f, dict)] == [0] * 4
    assert figures["churn"]["recall_lost"] == 0
    assert figures["purchases"] == {"not_measured": "the catalogue is too small for vector indexes"}


def test_photos_that_are_not_there_are_named_in_one_line(tmp_path):
    result = benchmark(
        *("recommendations", "--products", 10, "--data", "crops", "--photos", tmp_path)
    )
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith("recommendations: --data crops needs ")


@pytest.mark.parametrize("wrong", [("--products", "0"), ("--start", "1/2"), ("--data", "noise")])
def test_impossible_options_are_refused(wrong):
    result = benchmark("recommendations", *wrong)
    assert result.returncode == 2
    assert wrong[0] in result.stderr
