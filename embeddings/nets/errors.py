"""What can be wrong with weights; free of torch, so that catching it costs no import."""

from pathlib import Path

LONGEST_LINE = 600


class WeightsUnavailable(RuntimeError):  # noqa: N818 - the state of things, as callers ask for it
    """No usable weights; one line says what was looked for, where, and how to get it."""


class WeightsUnreachable(WeightsUnavailable):
    """The weights are nowhere on this machine and their server does not answer."""


class WeightsRejected(WeightsUnavailable):
    """A weights file that was found and refused."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"weights rejected: {path}: {one_line(reason)}")


def one_line(message: object) -> str:
    """The message without line breaks, cut where torch lists hundreds of names."""
    text = " ".join(str(message).split())
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 3]}..."
