"""Seconds by shoppers on logarithmic scales, with a straight line of slope 1 beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

COLORS = {"simulate_purchases": "#1f5f8b", "recommend_all": "#b8561d", "evaluate": "#3d7a3d"}


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Two panels, seconds and peak memory; the same figures give the same file."""
    with rc_context({"svg.hashsalt": "fashrec", "svg.fonttype": "none"}):
        picture = Figure(figsize=(9, 4), layout="constrained")
        left, right = picture.subplots(1, 2)
        for name, growth in figures["growth"].items():
            shoppers = [row["shoppers"] for row in growth["sizes"]]
            seconds = [row["seconds"] for row in growth["sizes"]]
            memory = [row["peak_memory_mib"] for row in growth["sizes"]]
            exponent = growth["growth_exponent"]
            label = name if exponent is None else f"{name}, exponent {exponent:.2f}"
            left.plot(shoppers, seconds, marker="o", color=COLORS[name], label=label)
            linear = [seconds[-1] * n / shoppers[-1] for n in shoppers]
            left.plot(shoppers, linear, linestyle=":", color=COLORS[name], linewidth=1)
            right.plot(shoppers, memory, marker="o", color=COLORS[name], label=name)
        for panel, what in ((left, "seconds (dotted: proportional)"), (right, "peak memory, MiB")):
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_xlabel("shoppers")
            panel.set_ylabel(what)
            panel.grid(color="#dddddd", linewidth=0.6)
            panel.legend(fontsize=8, frameon=False)
        picture.suptitle(figures["data"], fontsize=11)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.savefig(path, metadata={"Date": None})
