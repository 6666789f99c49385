"""What the site itself keeps: keys of storefront servers, and webhooks."""

import secrets
import uuid
from base64 import b64encode
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from limits import parse

from fashrec_site.evaluations.models import EvaluationJob  # noqa: F401 - for Django
from fashrec_site.merging.models import ProductMerge  # noqa: F401 - for Django
from fashrec_site.product_jobs.models import ProductJob  # noqa: F401 - for Django
from shoppers.callers import Scope


def validate_rate(rate: str) -> None:
    """Refuse what is not like "6000/minute"."""
    try:
        parse(rate)
    except ValueError as error:
        raise ValidationError(f'expected a rate such as "6000/minute"; got "{rate}"') from error


class ApiKeyQuerySet(models.QuerySet):
    """Keys of storefront servers."""

    def valid_at(self, now: datetime) -> Self:
        """Keys that open something at that time."""
        unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
        return self.filter(unexpired, revoked_at__isnull=True)


class ApiKey(models.Model):
    """A storefront server's key. Only its hash is stored; the prefix names it in lists."""

    name = models.CharField(max_length=100, unique=True, help_text="whose key it is")
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    key_sha256 = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=30, choices=Scope),
        default=list,
        blank=True,
        help_text="what it may do beyond reading the catalogue",
    )
    rate_limit = models.CharField(
        max_length=30, blank=True, validators=[validate_rate], help_text="empty: the site's default"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values), name="api_key_scopes_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"


class WebhookKind(models.TextChoices):
    """What a webhook may tell."""

    PRODUCT_EMBEDDED = "product.embedded", "a product has the vector that it is compared by"
    EMBEDDING_FAILED = "embedding.failed", "a photo could not be embedded"
    EVALUATION_FINISHED = "evaluation.finished", "an evaluation's report is written"
    PING = "ping", "a test, sent from the admin"


def new_webhook_secret() -> str:
    """A signing secret as the Standard Webhooks specification writes it."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode("ascii")


class WebhookEndpoint(models.Model):
    """An address that is told what happened. The secret signs, so it is kept as it is."""

    name = models.CharField(max_length=100, unique=True)
    url = models.URLField(max_length=500, validators=[URLValidator(schemes=["http", "https"])])
    kinds = ArrayField(models.CharField(max_length=30, choices=WebhookKind), default=list)
    secret = models.CharField(max_length=100, default=new_webhook_secret, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kinds__contained_by=WebhookKind.values), name="webhook_kinds_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDeliveryQuerySet(models.QuerySet):
    """What endpoints are, or were, to be told."""

    def due(self, now: datetime) -> Self:
        """Deliveries to send now, oldest first."""
        pending = self.filter(state="pending", next_attempt_at__lte=now, endpoint__is_active=True)
        return pending.order_by("created_at", "id")


class WebhookDelivery(models.Model):
    """One thing that one endpoint is told. The database adds it with what happened."""

    class State(models.TextChoices):
        """How far it came."""

        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    kind = models.CharField(max_length=30, choices=WebhookKind)
    payload = models.JSONField()
    state = models.CharField(max_length=20, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)
    answer_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(state="pending"), name="webhook_to_send"
            ),
            models.Index(fields=["-created_at"], name="webhook_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.endpoint_id}"
