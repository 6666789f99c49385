"""`python -m benchmarks NAME`: timings as ratios between things measured in turn in one run.

Each benchmark works in a home of its own (FASHREC_HOME/benchmark) and never in a user's catalogue.
Figures are printed as JSON with machine, versions and commit; `--json FILE` writes them as well.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.commands import BenchmarkCommand, load_commands
from benchmarks.django_setup import set_up


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, set up Django in the benchmark's own home, run, write JSON."""
    commands = load_commands()
    options = _parser(commands).parse_args(arguments)
    command = commands[options.name]
    set_up(command.home(options) if hasattr(command, "home") else "")
    from benchmarks.figures import report

    report(options.name, command.run(options), options.json)


def _parser(commands: dict[str, BenchmarkCommand]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="name", required=True)
    for name, command in commands.items():
        subparser = subparsers.add_parser(
            name,
            help=command.__doc__.strip().splitlines()[0],
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.add_argument("--json", type=Path, help="write the figures to this file as well")
    return parser


if __name__ == "__main__":
    main()
