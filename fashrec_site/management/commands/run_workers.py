"""`manage.py run_workers`: the Celery workers of one machine."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fashrec_site.processes import CELERY, PHOTO_WORKER, run_together

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class Command(BaseCommand):
    """Runs both until Ctrl-C."""

    help = (
        "Run this machine's Celery workers until Ctrl-C: one that embeds products, sends webhooks "
        "and runs beat, and one for the photos that shoppers search with. With workers on several "
        "machines run them yourself: exactly one beat may run (docs/operating.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many processes, and what they log."""
        parser.add_argument(
            "--concurrency",
            type=int,
            default=os.cpu_count() or 1,
            help="pool processes of the first worker; the cores where not said",
        )
        parser.add_argument("--loglevel", choices=LEVELS, default="INFO")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start, wait, stop."""
        if options["concurrency"] < 1:
            raise CommandError(f"--concurrency must be 1 or more; got {options['concurrency']}")
        level = f"--loglevel={options['loglevel']}"
        first = [*CELERY, f"--concurrency={options['concurrency']}", "--beat", level]
        if run_together({"worker": first, "worker for photos": [*PHOTO_WORKER, level]}):
            sys.exit(1)
