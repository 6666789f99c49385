"""The Celery task that looks for duplicates: it finds its work by what was never compared."""

import logging

from celery import shared_task
from django.utils import timezone

from embeddings.duplicates import services

logger = logging.getLogger(__name__)


@shared_task(time_limit=6 * 3600)
def find_duplicates() -> None:
    """Compare what is new or changed; beat calls this, and the page for duplicates."""
    try:
        services.find_duplicates(now=timezone.now())
    except (services.NothingToCompareError, services.AlreadySearchingError) as error:
        logger.info("%s", error)
