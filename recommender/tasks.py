"""Celery tasks of recommendations; they may run twice."""

from celery import shared_task
from django.utils import timezone

from recommender.log_partitions import keep_log

LIMIT_SECONDS = 300


@shared_task(time_limit=LIMIT_SECONDS)
def keep_recommendation_log() -> None:
    """Make the log's next partitions and drop the old ones; beat calls this."""
    keep_log(now=timezone.now())
