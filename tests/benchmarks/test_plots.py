import json
from xml.etree import ElementTree

import pytest

from benchmarks.plots import draw_recommendations, read_figures


def run_of(n_products, *, ratio):
    case = {"recall_at_5": 0.99, "recall_at_5_lower_95": 0.98, "p50_ms": 12.0, "p95_ms": 20.0}
    return {
        "benchmark": "recommendations",
        "machine": {"cores": 2},
        "data": {"products": n_products, "name": "clusters", "label": "SYNTHETIC: clusters"},
        "headline": {
            "weights": "1/0/0",
            "popularity": "integers",
            "ratio_to_exact_sql": ratio,
        },
        "cases": [{"weights": "1/0/0", "popularity": "integers", "index": case, "exact_sql": case}],
    }


def test_runs_are_drawn_by_size_and_labelled_synthetic(tmp_path):
    for n_products, ratio in ((100_000, 20.0), (12_000, 5.0)):
        path = tmp_path / f"{n_products}.json"
        path.write_text(json.dumps(run_of(n_products, ratio=ratio)))
    runs = read_figures([tmp_path / "100000.json", tmp_path / "12000.json"])
    assert [run["data"]["products"] for run in runs] == [12_000, 100_000]
    draw_recommendations(runs, tmp_path / "new" / "drawn.svg")
    first = (tmp_path / "new" / "drawn.svg").read_bytes()
    assert b"100,000: clusters, synthetic" in first
    ElementTree.fromstring(first)  # noqa: S314 - a file of our own
    draw_recommendations(runs, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == first


def test_other_figures_are_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"benchmark": "embeddings"}')
    with pytest.raises(ValueError, match="holds no figures of `python -m benchmarks recomm"):
        read_figures([path])
