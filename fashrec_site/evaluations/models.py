"""An evaluation that was asked for: how far it is, or what became of it."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from recommender.models import EvaluationRun

LOST_AFTER = timedelta(minutes=10)  # without a sign of life
MAX_ATTEMPTS = 3
OPEN = ("waiting", "running")


class EvaluationJobQuerySet(models.QuerySet):
    """Questions about evaluations that were asked for."""

    def to_do(self, now: datetime) -> Self:
        """Those that wait, and those whose worker was lost."""
        lost = Q(state="running", alive_at__lt=now - LOST_AFTER)
        return self.filter(Q(state="waiting") | lost)


class EvaluationJob(models.Model):
    """One at a time: two would only slow each other down."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        RUNNING = "running"
        READY = "ready"
        FAILED = "failed"

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    k = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="recommendations per purchase",
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    stage = models.CharField(max_length=100, blank=True)
    n_done = models.PositiveIntegerField(default=0)
    n_steps = models.PositiveIntegerField(default=0)
    alive_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True)
    run = models.OneToOneField(
        EvaluationRun, on_delete=models.SET_NULL, null=True, related_name="job"
    )

    objects = EvaluationJobQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(state__in=OPEN), name="one_open_evaluation"
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""), name="failed_evaluation_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"evaluation asked for at {self.asked_at:%Y-%m-%d %H:%M}: {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN
