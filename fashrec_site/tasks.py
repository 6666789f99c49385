"""Celery tasks of the site: they find their work in rows, and may run twice."""

from celery import shared_task
from django.utils import timezone

from catalog.task_queue import enqueue
from fashrec_site.evaluations import services as evaluations
from fashrec_site.evaluations.models import EvaluationJob
from fashrec_site.product_jobs import services as product_jobs
from fashrec_site.product_jobs.models import ProductJob
from fashrec_site.webhooks import services

WEBHOOK_SECONDS = 15  # between two looks at what is due
ENDPOINT_LIMIT_SECONDS = 300
EVALUATION_SECONDS = 60  # between two looks at evaluations that nobody runs
EVALUATION_LIMIT_SECONDS = 6 * 3600
PRODUCT_JOB_SECONDS = 60  # between two looks at bulk changes that nobody does


@shared_task(time_limit=60)
def enqueue_webhooks() -> None:
    """Enqueue a task for each endpoint that has something due; beat calls this."""
    for endpoint_id in services.endpoints_with_work(now=timezone.now()):
        enqueue(deliver_webhooks, endpoint_id, expires_seconds=WEBHOOK_SECONDS)


@shared_task(time_limit=ENDPOINT_LIMIT_SECONDS)
def deliver_webhooks(endpoint_id: int) -> None:
    """Send what is due to one endpoint."""
    services.deliver_due(endpoint_id=endpoint_id, now=timezone.now())


@shared_task(time_limit=ENDPOINT_LIMIT_SECONDS)
def forget_old_webhooks() -> None:
    """Delete what was delivered, or given up, long ago; beat calls this."""
    services.forget_old(now=timezone.now())


@shared_task(time_limit=EVALUATION_LIMIT_SECONDS)
def run_evaluation(job_id: int) -> None:
    """Run an evaluation that was asked for in the admin."""
    evaluations.run_evaluation(job_id=job_id)


@shared_task(time_limit=60)
def enqueue_evaluations() -> None:
    """Enqueue those whose message or worker was lost; beat calls this."""
    now = timezone.now()
    evaluations.give_up_lost(now=now)
    for job_id in EvaluationJob.objects.to_do(now).values_list("pk", flat=True):
        enqueue(run_evaluation, job_id, expires_seconds=EVALUATION_SECONDS)


@shared_task(time_limit=ENDPOINT_LIMIT_SECONDS)
def run_product_job(job_id: int) -> None:
    """Do a bulk change for a turn, and queue for the next one where more is left."""
    if product_jobs.run_job(job_id=job_id):
        enqueue(run_product_job, job_id)


@shared_task(time_limit=60)
def enqueue_product_jobs() -> None:
    """Enqueue those whose message or worker was lost; beat calls this."""
    now = timezone.now()
    product_jobs.give_up_lost(now=now)
    for job_id in ProductJob.objects.to_do(now).values_list("pk", flat=True):
        enqueue(run_product_job, job_id, expires_seconds=PRODUCT_JOB_SECONDS)
