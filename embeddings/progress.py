"""The progress bar of an embedding run."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

QUIET_SECONDS = 1.0
COUNT_SECONDS = 2.0


class SpeedColumn(ProgressColumn):
    """Photos per second over the last half minute."""

    def render(self, task: Task) -> Text:
        """The column's text."""
        return Text(f"{task.speed or 0:.1f} images/s")


class EmbeddingProgress(Progress):
    """Done, failed and left, images/s and time left, on stderr; nothing where that is no terminal.

    Call it with (settled, all); `count_failed` is asked every other second.
    """

    def __init__(self, description: str, count_failed: Callable[[], int]) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[n_failed]} failed"),
            SpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self.add_task(description, total=None, n_failed=0)
        self._count_failed = count_failed
        self._started = self._counted = time.monotonic()

    def __enter__(self) -> "EmbeddingProgress":
        """Shows nothing yet: what takes less than a second needs no bar."""
        return self

    def stop(self) -> None:
        """Leave the bar as it is; one that never started writes no empty line."""
        if self.live.is_started:
            super().stop()

    def __call__(self, n_settled: int, n_total: int) -> None:
        """Show that `n_settled` of `n_total` photos are embedded or failed."""
        self.update(self._task, completed=n_settled, total=n_total)
        now = time.monotonic()
        if now - self._counted > COUNT_SECONDS:
            self.update(self._task, n_failed=self._count_failed())
            self._counted = now
        is_slow = now - self._started > QUIET_SECONDS
        if is_slow and self.console.is_terminal and not self.live.is_started:
            self.start()
