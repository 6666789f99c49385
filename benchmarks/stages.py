"""What a benchmark is doing: a bar on a terminal, one line per finished stage elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from catalog.progress import StagedProgress

QUIET_SECONDS = 1.0


class Stages:
    """Named stages, their bars, and the seconds that each took."""

    def __init__(self, bars: StagedProgress) -> None:
        self._bars = bars
        self.seconds: dict[str, float] = {}

    def show(self, name: str, done: int, total: int) -> None:
        """Show that `done` of `total` of a part of a stage is done."""
        self._bars(name, done, total)

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Callable[[int], None]]:
        """Time what is done inside; call the result with how much of `total` is done."""
        started = time.perf_counter()
        self._bars(name, 0, total)
        yield lambda done: self._bars(name, done, total)
        self._bars(name, total, total)
        self.seconds[name] = round(time.perf_counter() - started, 2)
        if not sys.stderr.isatty() and self.seconds[name] > QUIET_SECONDS:
            print(f"{name}: {self.seconds[name]:.1f} s", file=sys.stderr, flush=True)


@contextmanager
def shown_stages() -> Iterator[Stages]:
    """Stages whose bars are shown on stderr while this lasts."""
    with StagedProgress() as bars:
        yield Stages(bars)
