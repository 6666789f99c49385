"""Two evaluation runs side by side: what differs in how they ran, and in what they measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommender.models import EvaluationRun

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Metric:
    """A figure of a row, and which way is better (0: neither)."""

    key: str
    title: str
    better: int = 0


@dataclass(frozen=True)
class Mark:
    """A value and its interval on a scale of 100."""

    place: str
    start: str
    width: str


@dataclass(frozen=True)
class Cell:
    """One figure in both runs."""

    a: float | None
    b: float | None
    a_interval: Sequence[float] | None
    b_interval: Sequence[float] | None
    a_mark: Mark | None
    b_mark: Mark | None
    better: int

    @property
    def difference(self) -> float | None:
        """B minus A."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def verdict(self) -> str:
        """better, worse, or nothing where the intervals overlap or no way is better."""
        if not (self.difference and self.better and self.a_interval and self.b_interval):
            return ""
        (a_low, a_high), (b_low, b_high) = self.a_interval, self.b_interval
        if a_low <= b_high and b_low <= a_high:
            return ""
        return "better" if self.difference * self.better > 0 else "worse"


@dataclass(frozen=True)
class Section:
    """A table of both runs: each row one cell per metric."""

    title: str
    label: str
    metrics: list[Metric]
    rows: list[tuple[str, list[Cell]]]


MEASURED = [
    Metric("category_similarity", "category similarity, %", 1),
    Metric("popularity_mae", "popularity MAE x 100", -1),
    Metric("gender_alignment_unfiltered", "gender, filter off, %", 1),
    Metric("diversity", "diversity"),
    Metric("coverage", "coverage, %"),
]
HELD_OUT = [
    Metric("recall", "recall@k, %", 1),
    Metric("ndcg", "NDCG@k, %", 1),
    Metric("percentile_rank", "percentile", 1),
]
VISUAL = [
    Metric("same_category_precision", "same-category precision@k, %", 1),
    Metric("chance", "chance, %"),
]


def compare_runs(a: EvaluationRun, b: EvaluationRun) -> list[Section]:
    """The tables of both, row by row of the same name; what one of them lacks is empty."""
    first, second = a.results or {}, b.results or {}
    return [
        section
        for title, label, metrics, rows_of, name_of in SECTIONS
        if (section := _section(title, label, metrics, rows_of(first), rows_of(second), name_of))
    ]


def settings_of(a: EvaluationRun, b: EvaluationRun) -> list[tuple[str, Any, Any]]:
    """What the runs were made with and on, by name."""
    first, second = _flat(a.settings), _flat(b.settings)
    names = [name for name in first | second if name not in {"backbones", "skipped_backbones"}]
    return [(name.replace("_", " "), first.get(name), second.get(name)) for name in names]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and name in {"weights", "database"}:
            flat |= {f"{name}: {inner}": each for inner, each in value.items()}
        elif not isinstance(value, dict | list):
            flat[name] = value
    return flat


def _section(
    title: str,
    label: str,
    metrics: Sequence[Metric],
    first: Sequence[Row],
    second: Sequence[Row],
    name_of: Callable[[Row], str],
) -> Section | None:
    a, b = ({name_of(row): row for row in rows} for rows in (first, second))
    known = [m for m in metrics if any(row.get(m.key) is not None for row in (*first, *second))]
    names = [*a, *(name for name in b if name not in a)]
    if not known or not names:
        return None
    scales = {metric.key: _scale([*first, *second], metric.key) for metric in known}
    rows = [
        (name, [_cell(a.get(name, {}), b.get(name, {}), m, scales[m.key]) for m in known])
        for name in names
    ]
    return Section(title, label, known, rows)


def _scale(rows: Sequence[Row], key: str) -> tuple[float, float]:
    """The ends that hold every value and interval of a metric."""
    values = [
        value
        for row in rows
        for value in (row.get(key), *(row.get(f"{key}_interval") or ()))
        if value is not None
    ]
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or 1.0
    return low - margin, high + margin


def _cell(a: Row, b: Row, metric: Metric, scale: tuple[float, float]) -> Cell:
    intervals = [row.get(f"{metric.key}_interval") for row in (a, b)]
    marks = [_mark(row, metric.key, scale) for row in (a, b)]
    return Cell(a.get(metric.key), b.get(metric.key), *intervals, *marks, metric.better)


def _mark(row: Row, key: str, scale: tuple[float, float]) -> Mark | None:
    value = row.get(key)
    if value is None:
        return None
    low, high = row.get(f"{key}_interval") or (value, value)

    def place(x: float) -> float:
        return 100 * (x - scale[0]) / (scale[1] - scale[0])

    return Mark(f"{place(value):.2f}", f"{place(low):.2f}", f"{place(high) - place(low):.2f}")


def _table(name: str) -> Callable[[Row], Sequence[Row]]:
    return lambda results: results.get("tables", {}).get(name, ())


SECTIONS = [
    ("Backbones", "backbone", MEASURED, _table("backbones"), lambda row: row["backbone"]),
    ("Ablation", "variant", MEASURED, _table("ablation"), lambda row: row["variant"]),
    ("By trendiness", "group", MEASURED, _table("trendiness"), lambda row: row["group"]),
    (
        "The last purchase, held out",
        "ranker",
        HELD_OUT,
        lambda results: results.get("held_out", {}).get("rankers", ()),
        lambda row: row["ranker"],
    ),
    (
        "Visual neighbours",
        "backbone",
        VISUAL,
        lambda results: results.get("visual", ()),
        lambda row: f"{row['backbone']}, {row['masks']}",
    ),
]
