"""A change of many products: what it is, which products, and how far it is."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from catalog.models import Category

LOST_AFTER = timedelta(minutes=2)  # without a sign of life; a chunk takes a second
MAX_ATTEMPTS = 3  # in which not one chunk was done


class ProductJobQuerySet(models.QuerySet):
    """Questions about jobs."""

    def to_do(self, now: datetime) -> Self:
        """Those that wait, and those whose worker was lost."""
        lost = Q(state="running", alive_at__lt=now - LOST_AFTER)
        return self.filter(Q(state="waiting") | lost)

    def without_products(self) -> Self:
        """Rows without the keys of their products, of which there may be many thousands."""
        return self.defer("product_ids")


class ProductJob(models.Model):
    """The first `n_done` of `product_ids` are done: a chunk and its count are one transaction."""

    class Kind(models.TextChoices):
        """What is done to each product."""

        ACTIVATE = "activate", "put on sale"
        DEACTIVATE = "deactivate", "take off sale"
        MOVE = "move", "move to a category"
        EMBED = "embed", "embed again"

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        RUNNING = "running"
        READY = "ready"
        STOPPED = "stopped"
        FAILED = "failed"

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    category = models.ForeignKey(
        Category, on_delete=models.SET_NULL, null=True, related_name="+", help_text="to move to"
    )
    product_ids = ArrayField(models.BigIntegerField(), editable=False)
    n_products = models.PositiveIntegerField()
    n_done = models.PositiveIntegerField(default=0)
    n_changed = models.PositiveIntegerField(
        default=0, help_text="products (or photos) that were not so before"
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="since the last chunk")
    started_at = models.DateTimeField(null=True)
    alive_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    objects = ProductJobQuerySet.as_manager()

    class Meta:
        verbose_name = "bulk change"
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(state__in=("waiting", "running")),
                name="product_job_open",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(n_done__lte=F("n_products")), name="product_job_done_of_all"
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""), name="failed_product_job_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.n_products:,} products"

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")

    def seconds_left(self, now: datetime) -> float | None:
        """At the pace so far; None before the first chunk, or when nothing is left."""
        if not (self.is_open and self.n_done and self.started_at):
            return None
        pace = (now - self.started_at).total_seconds() / self.n_done
        return pace * (self.n_products - self.n_done)
