"""`manage.py keep_recommendation_log`: what beat does hourly, for shops that run it by cron."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from recommender.log_partitions import DAYS_AHEAD, DAYS_KEPT, keep_log


class Command(BaseCommand):
    """Makes and drops the daily partitions of the recommendation log."""

    help = (
        f"Make the recommendation log's partitions of today and the next {DAYS_AHEAD} days, and "
        f"drop those older than {DAYS_KEPT} days. May run at any time, and as often as you like."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say what was done."""
        kept = keep_log(now=timezone.now())
        self.stdout.write(
            f"Partitions: {len(kept.created)} made, {len(kept.dropped)} dropped, "
            f"{kept.n_waiting} in use (they wait for the next run); "
            f"{kept.n_deleted} old rows deleted besides."
        )
