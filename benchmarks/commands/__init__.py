"""One module for each `python -m benchmarks NAME`, found by its file name.

Such a module has a docstring (its first line is the summary in `--help`, the rest its explanation),
`add_arguments(parser)` and `run(options) -> dict` of named figures. It is imported before Django is
set up, in order to parse: whatever needs Django or torch is imported inside `run`.
"""

import argparse
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol


class BenchmarkCommand(Protocol):
    """What a module of this package offers."""

    __doc__: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options; `--json` is there already."""

    def run(self, options: argparse.Namespace) -> dict[str, Any]:
        """Measure, in the benchmark's own home, and return the named figures."""


def load_commands() -> dict[str, BenchmarkCommand]:
    """The modules of this package by name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}") for name in names}
