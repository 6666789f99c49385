"""Merchandising rules: what a shop itself wants to be seen more, less, or in one place."""

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from simple_history.models import HistoricalRecords

from catalog.models import Category, Product, within
from recommender.merchandising.querysets import MerchandisingRuleQuerySet

MAX_BOOST = 2.0  # with weights that add up to 1 no other term reaches half of it
MAX_POSITION = 100  # as long as a list may be


def _point(field: str) -> Func:
    """An integer as a range of one.

    PostgreSQL excludes equal numbers only with an extension that not every server has; equal
    ranges it can always tell. No category is 0, which is no key.
    """
    number = Coalesce(F(field), Value(0), output_field=models.BigIntegerField())
    return Func(
        number, number, Value("[]"), function="int8range", output_field=BigIntegerRangeField()
    )


def _once(name: str, fields: tuple[str, ...], *, condition: Q, message: str) -> ExclusionConstraint:
    """At any moment at most one rule of these values."""
    moments = Func("starts_at", "ends_at", function="tstzrange", output_field=DateTimeRangeField())
    expressions = [(_point(field), RangeOperators.OVERLAPS) for field in fields]
    return ExclusionConstraint(
        name=name,
        expressions=[*expressions, (moments, RangeOperators.OVERLAPS)],
        condition=condition,
        violation_error_message=message,
    )


IS_PIN = Q(position__isnull=False)


class MerchandisingRule(models.Model):
    """One product boosted, buried (a negative boost) or pinned, somewhere, for a time.

    Where `recommender.merchandising.rules` says. Either `boost` or `position` is given.
    """

    class Kind(models.TextChoices):
        """What a rule does."""

        PIN = "pin"
        BOOST = "boost"
        BURY = "bury"

    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="merchandising_rules"
    )
    category = models.ForeignKey(
        Category,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="merchandising_rules",
        help_text="only beside products of this category, and in lists of it; empty: everywhere",
    )
    boost = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(-MAX_BOOST), MaxValueValidator(MAX_BOOST)],
        help_text="added to the relevance; negative to bury",
    )
    position = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_POSITION)],
        help_text="the place of a pinned product, from 1",
    )
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="empty: until somebody ends it")
    note = models.CharField(max_length=200, blank=True, help_text="why, for your colleagues")

    objects = MerchandisingRuleQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "pin or boost"
        verbose_name_plural = "pins and boosts"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(boost__isnull=True, position__isnull=False)
                | Q(boost__isnull=False, position__isnull=True),
                name="rule_boosts_or_pins",
                violation_error_message="Give either a boost or a position.",
            ),
            models.CheckConstraint(
                condition=Q(boost__isnull=True)
                | within("boost", -MAX_BOOST, MAX_BOOST) & ~Q(boost=0),
                name="rule_boost_in_range",
                violation_error_message=f"A boost is from -{MAX_BOOST:g} to {MAX_BOOST:g}, not 0.",
            ),
            models.CheckConstraint(
                condition=Q(position__isnull=True) | within("position", 1, MAX_POSITION),
                name="rule_position_in_range",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="rule_ends_after_start",
                violation_error_message="A rule ends after it starts.",
            ),
            _once(
                "one_boost_per_product_and_scope",
                ("product", "category"),
                condition=~IS_PIN,
                message="The product is boosted or buried there at that time already.",
            ),
            _once(
                "one_pin_per_product_and_scope",
                ("product", "category"),
                condition=IS_PIN,
                message="The product is pinned there at that time already.",
            ),
            _once(
                "one_pin_per_position_and_scope",
                ("position", "category"),
                condition=IS_PIN,
                message="Another product is pinned to that position at that time already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of product {self.product_id}"

    @property
    def kind(self) -> Kind:
        """What it does."""
        if self.position is not None:
            return self.Kind.PIN
        return self.Kind.BURY if self.boost is not None and self.boost < 0 else self.Kind.BOOST

    @property
    def amount(self) -> float:
        """The position of a pin, else by how much it raises or lowers."""
        return self.position if self.position is not None else abs(self.boost or 0.0)

    def holds(self, at: datetime) -> bool:
        """Whether it holds at that moment."""
        return self.starts_at <= at and (self.ends_at is None or self.ends_at > at)
