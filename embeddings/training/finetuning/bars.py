"""What is good enough for a label: where objectives compete, the worst of these shares counts."""

from collections.abc import Iterable

# Same-label precision@5 with everything but the query as gallery. A head of another set than the
# first is named `label@set`, and has its label's bar unless it has one of its own.
BARS = {"category": 0.86, "gender": 0.91, "color": 0.56, "category@photos": 0.76}


def bar_of(name: str) -> float | None:
    """The head's bar; None for a label that nobody searches by."""
    return BARS.get(name, BARS.get(name.partition("@")[0]))


def heads_that_count(names: Iterable[str]) -> frozenset[str]:
    """Those that have a bar; all where none has one."""
    names = frozenset(names)
    return frozenset(name for name in names if bar_of(name) is not None) or names
