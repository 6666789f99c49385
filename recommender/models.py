"""Ranking profiles, the recommendations that were given, and evaluation runs."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from embeddings.models import Backbone
from embeddings.preference import best_backbone_with_vectors
from recommender.experiments.models import Arm, Experiment, Exposure  # noqa: F401 - for Django
from recommender.merchandising.models import MerchandisingRule  # noqa: F401 - for Django
from recommender.querysets import RankingProfileQuerySet, backbone_from_values
from recommender.set_ids import new_set_id
from shoppers.models import AnonymousSession, Shopper

MAX_WEIGHT = 10.0  # only their ratios matter: far above 1 a weight is a slip of the hand
A_WEIGHT = [MinValueValidator(0.0), MaxValueValidator(MAX_WEIGHT)]
MAX_PENALTY_EXPONENT = 20.0  # forgives all but the very end of the range


class RankingProfile(models.Model):
    """The weights of the relevance formula, and what it ranks with."""

    name = models.CharField(max_length=100, unique=True)
    weight_visual = models.FloatField(default=0.7, validators=A_WEIGHT)
    weight_popularity = models.FloatField(default=0.3, validators=A_WEIGHT)
    weight_category = models.FloatField(default=0.0, validators=A_WEIGHT)
    weight_proximity = models.FloatField(
        default=0.0,
        validators=A_WEIGHT,
        help_text="of how near a store has it",
    )
    penalty_exponent = models.FloatField(
        default=2.0,
        validators=[MinValueValidator(0.01), MaxValueValidator(MAX_PENALTY_EXPONENT)],
        help_text="gamma; larger forgives more",
    )
    k = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="recommendations per purchase",
    )
    backbone = models.ForeignKey(
        Backbone,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="profiles",
        help_text="empty: the best one that has vectors",
    )
    filter_gender = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)

    objects = RankingProfileQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_profile"
            ),
            models.CheckConstraint(
                condition=Q(weight_visual__gte=0, weight_popularity__gte=0, weight_category__gte=0)
                & (Q(weight_visual__gt=0) | Q(weight_popularity__gt=0) | Q(weight_category__gt=0)),
                name="profile_weights_can_rank",
            ),
            models.CheckConstraint(
                condition=Q(penalty_exponent__gt=0), name="profile_exponent_positive"
            ),
            models.CheckConstraint(
                condition=Q(weight_proximity__gte=0), name="profile_proximity_not_negative"
            ),
            models.CheckConstraint(condition=Q(k__gte=1, k__lte=100), name="profile_k_in_range"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def best_backbone(self) -> Backbone | None:
        """The most preferred backbone with vectors; no query where it came with the profile."""
        if "best_backbone_values" not in self.__dict__:
            return best_backbone_with_vectors()
        values = self.best_backbone_values
        return values and backbone_from_values(values, self._state.db)


class Tier(models.TextChoices):
    """How much was known about the shopper."""

    PERSONAL = "PERSONAL"  # from their purchases, or before the first one their interests
    POPULAR = "POPULAR"  # popular products in line with their trendiness


class RecommendationLog(models.Model):
    """A set of recommendations as it was given: to whom, under which settings, with what terms.

    The table is partitioned by day, which the key tells (`recommender.log_partitions`).
    """

    id = models.UUIDField(primary_key=True, default=new_set_id, editable=False)
    shopper = models.ForeignKey(
        Shopper, on_delete=models.CASCADE, null=True, related_name="recommendations"
    )
    session = models.ForeignKey(
        AnonymousSession, on_delete=models.CASCADE, null=True, related_name="recommendations"
    )
    tier = models.CharField(max_length=20, choices=Tier)
    settings = models.JSONField()
    rails = models.JSONField(default=list, help_text="what each rail was compared with")
    items = models.JSONField(help_text="rail by rail, or the popular products")
    merged = models.JSONField(default=list, help_text="places in items, of the merged list")
    n_statements = models.PositiveSmallIntegerField(
        default=0, help_text="that ranked it: one, and one more where a stream was read farther"
    )
    n_unproven = models.PositiveSmallIntegerField(
        default=0, help_text="rails that a product which was not looked at might enter"
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(shopper__isnull=False) | Q(session__isnull=False),
                name="recommendations_for_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shopper or self.session} at {self.created_at:%Y-%m-%d %H:%M}"


class EvaluationRun(models.Model):
    """One run of the experiment: its settings, its tables, and where its report lies."""

    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    settings = models.JSONField()
    results = models.JSONField(null=True, blank=True)
    report_folder = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"evaluation {self.pk} of {self.created_at:%Y-%m-%d %H:%M}"
