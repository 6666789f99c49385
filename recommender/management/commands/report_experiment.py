"""`manage.py report_experiment [NAME]`: what an experiment came to so far."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from recommender.experiments.models import Experiment
from recommender.experiments.report import ExperimentReport, experiment_report, percent


class Command(BaseCommand):
    """Prints each arm with intervals, and what can be said today."""

    help = (
        "Print an experiment's report: each arm's conversions with intervals, and how the arms "
        "differ from the control. It may be looked at any day: intervals and p-values hold at "
        "every look at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME."""
        parser.add_argument(
            "name", nargs="?", metavar="NAME", help="default: the experiment started last"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the experiment and print."""
        report = experiment_report(_experiment(options["name"]), now=timezone.now())
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 140)
        console.print(_table(report))
        console.print(
            f"{report.verdict}. Intervals and p-values hold at every look; "
            f"p below {report.alpha:.3g} shows a difference."
        )


def _experiment(name: str | None) -> Experiment:
    started = Experiment.objects.filter(started_at__isnull=False)
    found = started.filter(name=name).first() if name else started.order_by("-started_at").first()
    if found is None:
        known = ", ".join(started.values_list("name", flat=True)) or "none: start one in the admin"
        raise CommandError(f"No such experiment; those that started: {known}.")
    return found


def _table(report: ExperimentReport) -> Table:
    experiment = report.experiment
    state = "runs" if experiment.is_running else f"stopped {experiment.stopped_at:%Y-%m-%d %H:%M}"
    table = Table(title=f"{experiment.name}: {experiment.goal}, {state}", title_justify="left")
    table.add_column("arm")
    for name in ("exposures", "open", "counted", "converted", "rate", "difference", "p"):
        table.add_column(name, justify="right")
    for arm in report.arms:
        gap = arm.difference
        table.add_row(
            arm.profile,
            f"{arm.n_exposures:,}",
            f"{arm.n_open:,}",
            f"{arm.n_units:,}",
            f"{arm.n_converted:,}",
            percent(arm.low, arm.rate, arm.high),
            percent(gap.low, gap.estimate, gap.high) if gap else "-",
            f"{gap.p_value:.3g}" if gap else "-",
        )
    return table
