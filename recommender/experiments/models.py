"""Experiments: arms that rank with different profiles, and who saw which of them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from shoppers.models import AnonymousSession, Event, Shopper


class Goal(models.TextChoices):
    """The event that counts as a conversion."""

    VIEW = Event.Kind.VIEW.value
    FAVOURITE = Event.Kind.FAVOURITE.value
    CART = Event.Kind.CART.value
    PURCHASE = Event.Kind.PURCHASE.value


class Experiment(models.Model):
    """Two or more ranking profiles, compared by what their recommendations led to.

    One runs at a time, so that nobody is in two. Once started, who gets which arm is settled.
    """

    name = models.CharField(max_length=100, unique=True)
    goal = models.CharField(max_length=20, choices=Goal, default=Goal.PURCHASE)
    window_hours = models.PositiveIntegerField(
        default=72,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 90)],
        help_text="a conversion counts this long after the first exposure",
    )
    planned_units = models.PositiveIntegerField(
        default=10_000,
        validators=[MinValueValidator(100)],
        help_text="shoppers and sessions for which the intervals are to be narrowest",
    )
    false_positive_rate = models.FloatField(
        default=0.05, validators=[MinValueValidator(0.001), MaxValueValidator(0.2)]
    )
    salt = models.UUIDField(default=uuid.uuid4, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-started_at", "name"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(started_at__isnull=False, stopped_at__isnull=True),
                name="one_running_experiment",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True) | Q(stopped_at__gte=F("started_at")),
                name="experiment_stopped_after_start",
            ),
            models.CheckConstraint(
                condition=Q(
                    window_hours__gte=1,
                    planned_units__gte=1,
                    false_positive_rate__gt=0,
                    false_positive_rate__lt=1,
                ),
                name="experiment_settings_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        """Whether recommendations are assigned to its arms now."""
        return self.started_at is not None and self.stopped_at is None


class Arm(models.Model):
    """One of the profiles compared; the first one, by its key, is the control."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="arms")
    profile = models.ForeignKey(
        "recommender.RankingProfile", on_delete=models.PROTECT, related_name="arms"
    )
    share = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="of the traffic, beside the others'"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "profile"], name="one_arm_per_profile_and_experiment"
            ),
            models.CheckConstraint(condition=Q(share__gte=1), name="arm_share_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.experiment}: {self.profile}"

    def clean(self) -> None:
        """Refuse to move people between arms."""
        if self.experiment_id and self.experiment.started_at is not None:
            raise ValidationError("the experiment has started; its arms stay as they are")


class Exposure(models.Model):
    """A set of recommendations that was ranked with an arm's profile, and whom it was for."""

    recommendation_id = models.UUIDField(primary_key=True)
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="exposures")
    shopper = models.ForeignKey(Shopper, on_delete=models.CASCADE, null=True, related_name="+")
    session = models.ForeignKey(
        AnonymousSession, on_delete=models.CASCADE, null=True, related_name="+"
    )
    exposed_at = models.DateTimeField()
    merchandised = ArrayField(
        models.BigIntegerField(),
        default=list,
        help_text="products in it that the shop pinned, boosted or buried, whatever the profile",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(shopper__isnull=False, session__isnull=True)
                | Q(shopper__isnull=True, session__isnull=False),
                name="exposure_of_one",
            ),
        ]
        indexes = [models.Index(fields=["arm", "exposed_at"], name="exposures_of_an_arm")]

    def __str__(self) -> str:
        return f"{self.recommendation_id} of arm {self.arm_id}"
