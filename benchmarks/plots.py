"""Pictures of committed figures: nothing here measures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "fashrec"  # the same figures give the same file
from matplotlib import pyplot as plt  # noqa: E402 - after the choice of backend
from matplotlib.axes import Axes  # noqa: E402

INDEX = "index"
CONTENDERS = {
    INDEX: ("index path", "C0"),
    "exact_sql": ("exact SQL", "C3"),
    "naive_loop": ("Python loop", "C5"),
    "faiss_rerank": ("FAISS + Python", "C2"),
    "lancedb_rerank": ("LanceDB + Python", "C1"),
}


def read_figures(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The runs in `paths`, smallest catalogue first.

    Raises:
        ValueError: a file is not of `python -m benchmarks recommendations`.
    """
    runs = []
    for path in paths:
        figures = json.loads(path.read_text(encoding="utf-8"))
        if figures.get("benchmark") != "recommendations":
            raise ValueError(f"{path} holds no figures of `python -m benchmarks recommendations`")
        runs.append(figures)
    return sorted(runs, key=lambda run: run["data"]["products"])


def draw_recommendations(runs: Sequence[dict[str, Any]], target: Path) -> None:
    """Latency, recall and ratios by catalogue size, as one SVG."""
    figure, (latency, recall, ratios) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    _draw_latency(latency, runs)
    _draw_recall(recall, runs)
    _draw_ratios(ratios, runs)
    labels = "; ".join(dict.fromkeys(_label(run) for run in runs))
    figure.suptitle(f"Recommendations, {runs[-1]['machine']['cores']} cores. {labels}", fontsize=8)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, format="svg", metadata={"Date": None})
    plt.close(figure)


def _label(run: dict[str, Any]) -> str:
    """Size, kind of data, and whether that is synthetic."""
    is_synthetic = run["data"]["label"].startswith("SYNTHETIC")
    kind = f"{run['data']['name']}, synthetic" if is_synthetic else run["data"]["name"]
    return f"{run['data']['products']:,}: {kind}"


def _draw_latency(axes: Axes, runs: Sequence[dict[str, Any]]) -> None:
    for name, (label, color) in CONTENDERS.items():
        measured = [(_size(run), case) for run in runs if (case := _main(run).get(name))]
        if not measured:
            continue
        sizes = [size for size, _ in measured]
        p50 = [case["p50_ms"] for _, case in measured]
        above = [max(0, case["p95_ms"] - case["p50_ms"]) for _, case in measured]
        spread = [[0] * len(p50), above]
        axes.errorbar(sizes, p50, spread, label=label, color=color, marker="o", capsize=3)
    _by_size(axes, "ms a shopper: p50, bar to p95")
    axes.set_yscale("log")
    axes.legend(fontsize=7)


def _draw_recall(axes: Axes, runs: Sequence[dict[str, Any]]) -> None:
    weights = list(dict.fromkeys(case["weights"] for run in runs for case in run["cases"]))
    for color, name in enumerate(weights):
        points = [
            (_size(run), case[INDEX])
            for run in runs
            for case in run["cases"]
            if case["weights"] == name and case["popularity"] == run["headline"]["popularity"]
        ]
        recall = [case["recall_at_5"] for _, case in points]
        below = [max(0, c["recall_at_5"] - c["recall_at_5_lower_95"]) for _, c in points]
        sizes = [size for size, _ in points]
        spread = [below, [0] * len(recall)]
        axes.errorbar(sizes, recall, spread, label=name, color=f"C{color}", marker="o", capsize=3)
    _by_size(axes, "recall@5, bar to the lower 95% bound")
    axes.legend(title="w_v/w_p/w_c", fontsize=7, title_fontsize=7)


def _draw_ratios(axes: Axes, runs: Sequence[dict[str, Any]]) -> None:
    for name, (label, color) in CONTENDERS.items():
        key = f"ratio_to_{name}"
        points = [(_size(r), r["headline"][key]) for r in runs if r["headline"].get(key)]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, color=color, marker="o")
    axes.axhline(1, color="grey", linewidth=0.8)
    _by_size(axes, "times as long as the index path")
    axes.set_yscale("log")
    axes.legend(fontsize=7)


def _by_size(axes: Axes, label: str) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("products")
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)


def _size(run: dict[str, Any]) -> int:
    return run["data"]["products"]


def _main(run: dict[str, Any]) -> dict[str, Any]:
    """The case that the headline is of."""
    wanted = (run["headline"]["weights"], run["headline"]["popularity"])
    return next(c for c in run["cases"] if (c["weights"], c["popularity"]) == wanted)
