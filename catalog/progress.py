"""Progress bars for commands whose service tells what it is doing."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

QUIET_SECONDS = 1.0


class StagedProgress(AbstractContextManager):
    """One bar per stage on stderr, once a second has passed; nothing where that is no terminal.

    Call it with (stage, done, total), or `stage(name)` with (done, total); it is made for the
    services' `on_progress`.
    """

    def __init__(
        self, *, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
        )
        self._stages: dict[str, TaskID] = {}
        self._clock = clock
        self._started = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bars.live.is_started:  # else it would write an empty line
            self._bars.stop()

    def stage(self, name: str) -> Callable[[int, int], None]:
        """What shows (done, total) of one stage."""
        return partial(self, name)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` of a stage is done."""
        if stage not in self._stages:
            self._stages[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._stages[stage], completed=done, total=total)
        is_slow = self._clock() - self._started > QUIET_SECONDS
        if is_slow and self._bars.console.is_terminal and not self._bars.live.is_started:
            self._bars.start()
