"""Charts of the tables: every figure as a point with its 95% interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

PANEL_WIDTH, ROW_HEIGHT, MARGIN_HEIGHT = 3.6, 0.42, 1.1  # inches
COLOR = "#1f5f8b"
DPI = 130


def draw_intervals(
    rows: Sequence[Mapping[str, Any]],
    *,
    label: str,
    metrics: Mapping[str, str],
    title: str,
    path: Path,
) -> bool:
    """One panel per metric, one line per row, first row on top; False where nothing is to show.

    Args:
        rows: of evaluation.json; a metric that is None is left out of its panel.
        label: the key that names a row.
        metrics: keys and the axis labels that name them; those that no row has get no panel.
        title: over the panels.
        path: the PNG.
    """
    shown = {
        key: name for key, name in metrics.items() if any(row[key] is not None for row in rows)
    }
    if not shown:
        return False
    height = MARGIN_HEIGHT + ROW_HEIGHT * len(rows)
    size = (PANEL_WIDTH * len(shown) + 1.0, height)
    picture = Figure(figsize=size, layout="constrained")
    panels = picture.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for panel, (key, name) in zip(panels, shown.items(), strict=True):
        _draw_panel(panel, rows, key)
        panel.set_xlabel(name)
    panels[0].set_yticks(range(len(rows)), [str(row[label]) for row in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    picture.suptitle(title, fontsize=11)
    picture.savefig(path, dpi=DPI)
    return True


def _draw_panel(panel: Axes, rows: Sequence[Mapping[str, Any]], key: str) -> None:
    for place, row in enumerate(rows):
        if row[key] is None:
            continue
        if interval := row[f"{key}_interval"]:
            panel.plot(interval, [place, place], color=COLOR, linewidth=2, solid_capstyle="butt")
        panel.plot([row[key]], [place], marker="o", color=COLOR, markersize=6)
        panel.annotate(
            f"{row[key]:.1f}",
            (row[key], place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    panel.margins(x=0.15)
    panel.xaxis.set_major_locator(MaxNLocator(5))
    panel.grid(axis="x", color="#dddddd", linewidth=0.6)
    panel.set_axisbelow(True)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.tick_params(axis="y", length=0)
