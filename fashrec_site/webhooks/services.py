"""Delivering webhooks: from rows, again and again, ever less often, until they are taken."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F

from fashrec_site.models import WebhookDelivery, WebhookEndpoint, WebhookKind
from fashrec_site.webhooks.sending import SendError, post
from fashrec_site.webhooks.signing import signed_headers

# After the n-th failure: a restart, a deployment, a night, a weekend. Then it is given up.
BACKOFF = tuple(
    timedelta(minutes=minutes)
    for minutes in (0.5, 2, 10, 30, 60, 4 * 60, 12 * 60, 24 * 60, 48 * 60)
)
DELIVERIES_PER_TASK = 50
KEPT_FOR = timedelta(days=30)
ERROR_LENGTH = 500  # characters, as the column


def endpoints_with_work(*, now: datetime) -> list[int]:
    """Keys of endpoints that have something due."""
    due = WebhookDelivery.objects.due(now).order_by()
    return list(due.values_list("endpoint", flat=True).distinct())


def deliver_due(*, endpoint_id: int, now: datetime) -> int:
    """Send what is due to one endpoint, oldest first, until one fails; how many it took.

    A dead endpoint costs one attempt a call and not one for all that waits for it. Each row is
    claimed before it is sent: a worker that dies over it has made an attempt, and two workers
    never send one at once.
    """
    ids = WebhookDelivery.objects.due(now).filter(endpoint=endpoint_id).values_list("pk", flat=True)
    n_delivered = 0
    for pk in list(ids[:DELIVERIES_PER_TASK]):
        delivery = _claim(pk, now)
        if delivery is None:  # another worker has it
            continue
        if not _send(delivery, now):
            break
        n_delivered += 1
    return n_delivered


def send_again(deliveries: "list[UUID]", *, now: datetime) -> int:
    """Let deliveries be tried anew, at once; how many."""
    rows = WebhookDelivery.objects.filter(pk__in=deliveries)
    return rows.update(state="pending", attempts=0, next_attempt_at=now, error="")


def send_ping(endpoint: WebhookEndpoint, *, now: datetime) -> WebhookDelivery:
    """Queue a test for an endpoint, whatever kinds it asks for."""
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        kind=WebhookKind.PING,
        payload={"endpoint": endpoint.name},
        next_attempt_at=now,
        created_at=now,
    )


def forget_old(*, now: datetime) -> int:
    """Delete deliveries that were settled long ago; how many."""
    settled = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.PENDING)
    return settled.filter(created_at__lt=now - KEPT_FOR).delete()[0]


def _claim(pk: UUID, now: datetime) -> WebhookDelivery | None:
    """The delivery, counted as attempted; None where somebody else was quicker."""
    delivery = WebhookDelivery.objects.select_related("endpoint").filter(pk=pk).first()
    if delivery is None:
        return None
    wait = BACKOFF[min(delivery.attempts, len(BACKOFF) - 1)]
    n_claimed = (
        WebhookDelivery.objects.due(now)
        .order_by()
        .filter(pk=pk, attempts=delivery.attempts)
        .update(attempts=F("attempts") + 1, next_attempt_at=now + wait)
    )
    delivery.attempts += 1
    return delivery if n_claimed else None


def _send(delivery: WebhookDelivery, now: datetime) -> bool:
    """Send a claimed delivery and note what came of it."""
    body = json.dumps(
        {
            "type": delivery.kind,
            "timestamp": delivery.created_at.isoformat(),
            "data": delivery.payload,
        },
        separators=(",", ":"),
    ).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "fashrec-webhooks/1"}
    headers |= signed_headers(
        secret=delivery.endpoint.secret, delivery_id=delivery.pk, body=body, now=now
    )
    status, error = None, ""
    try:
        status = post(
            delivery.endpoint.url,
            body=body,
            headers=headers,
            allow_private=settings.FASHREC_WEBHOOKS_ALLOW_PRIVATE,
            allow_http=not settings.PRODUCTION,
        )
        if not 200 <= status < 300:
            error = f"answered {status}"
    except SendError as failure:
        error = str(failure)
    return _note(delivery, status, error, now)


def _note(delivery: WebhookDelivery, status: int | None, error: str, now: datetime) -> bool:
    state = WebhookDelivery.State.PENDING
    if not error:
        state = WebhookDelivery.State.DELIVERED
    elif delivery.attempts > len(BACKOFF):
        state = WebhookDelivery.State.FAILED
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=state,
        answer_status=status,
        error=error[:ERROR_LENGTH].replace("\0", ""),
        delivered_at=None if error else now,
    )
    return not error
