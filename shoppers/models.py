"""Shoppers, what they bought and did, and how popular that makes each product."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from catalog.models import UNIT_INTERVAL, Gender, Product, within
from shoppers.querysets import EventQuerySet


def new_key() -> str:
    """An idempotency key for an event that comes without one."""
    return str(uuid.uuid4())


class Shopper(models.Model):
    """A person who buys; `trendiness` 1 follows the crowd, 0 avoids it (the paper's t)."""

    external_id = models.CharField(max_length=200, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="shopper",
    )
    gender = models.CharField(max_length=10, choices=Gender, default=Gender.UNISEX)
    trendiness = models.FloatField(default=0.5, validators=UNIT_INTERVAL)
    latitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-90.0), MaxValueValidator(90.0)]
    )
    longitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-180.0), MaxValueValidator(180.0)]
    )
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(external_id=""), name="shopper_id_not_empty"),
            models.CheckConstraint(
                condition=within("trendiness", 0, 1), name="trendiness_in_unit_interval"
            ),
            models.CheckConstraint(
                condition=Q(gender__in=Gender.values), name="shopper_gender_known"
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | (within("latitude", -90, 90) & within("longitude", -180, 180)),
                name="shopper_location_whole_and_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class Purchase(models.Model):
    """One product bought once. The database counts it into the product's popularity."""

    shopper = models.ForeignKey(Shopper, on_delete=models.CASCADE, related_name="purchases")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="purchases")
    purchased_at = models.DateTimeField(db_index=True)
    is_simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["shopper_id", "purchased_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shopper", "product", "purchased_at"], name="purchase_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shopper_id} bought {self.product_id} at {self.purchased_at:%Y-%m-%d}"


class AnonymousSession(models.Model):
    """Somebody who has not logged in, known by a token that their browser made up.

    The token is a password in effect, so only its hash is stored. Once merged, what the session did
    is the shopper's, and the token has had its day.
    """

    token_sha256 = models.CharField(max_length=64, unique=True)
    shopper = models.ForeignKey(
        Shopper,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sessions",
        help_text="who logged in; empty until then",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    merged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(shopper__isnull=True, merged_at__isnull=True)
                | Q(shopper__isnull=False, merged_at__isnull=False),
                name="session_merged_into_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.pk}"


class Event(models.Model):
    """Something that a shopper, or somebody not logged in, did with a product.

    Stored once: a key is unique among its shopper's and among its session's events. A merge gives
    the session's events the shopper, and they keep their session.
    """

    class Kind(models.TextChoices):
        """What happened. A purchase makes a `Purchase` row, a return takes one back."""

        VIEW = "view"
        FAVOURITE = "favourite"
        UNFAVOURITE = "unfavourite"
        CART = "cart"
        PURCHASE = "purchase"
        RETURN = "return"
        DISMISSAL = "dismissal"

    shopper = models.ForeignKey(
        Shopper,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,  # "event_once_per_shopper" begins with it
    )
    session = models.ForeignKey(
        AnonymousSession,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,  # "event_once_per_session" begins with it
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind)
    occurred_at = models.DateTimeField(db_index=True)
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    key = models.CharField(
        max_length=100, default=new_key, help_text="the caller's idempotency key"
    )
    recommendation_id = models.UUIDField(
        null=True, blank=True, help_text="the set of recommendations that it came from"
    )
    returned_purchase_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="of a return: when the purchase that it took back was made",
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["occurred_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["shopper", "key"], name="event_once_per_shopper"),
            models.UniqueConstraint(fields=["session", "key"], name="event_once_per_session"),
            models.CheckConstraint(
                condition=Q(shopper__isnull=False) | Q(session__isnull=False),
                name="event_of_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["purchase", "return"]) | Q(shopper__isnull=False),
                name="event_purchase_of_a_shopper",
            ),
            models.CheckConstraint(condition=~Q(key=""), name="event_key_not_empty"),
        ]
        indexes = [
            models.Index(
                fields=["recommendation_id"],
                condition=Q(recommendation_id__isnull=False),
                name="event_by_recommendation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shopper or self.session} {self.kind} {self.product_id}"


class ProductPopularity(models.Model):
    """A product's popularity: a stored base plus its counted purchases.

    Every product has exactly one row, made by the database with the product; `counted` is kept by
    triggers on purchases, so it is right after any write, bulk or not. `gender` and `is_active` are
    copies that the database keeps equal to the product's. No vector lives here: a purchase rewrites
    this narrow row and never an entry of a vector index.
    """

    product = models.OneToOneField(
        Product, on_delete=models.CASCADE, primary_key=True, related_name="popularity"
    )
    base = models.PositiveIntegerField(default=0)
    base_is_simulated = models.BooleanField(default=False)
    counted = models.PositiveIntegerField(default=0)
    popularity = models.GeneratedField(
        expression=F("base") + F("counted"),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
    )
    gender = models.CharField(
        max_length=10, choices=Gender, db_default=Gender.UNISEX, editable=False
    )
    is_active = models.BooleanField(db_default=True, editable=False)

    class Meta:
        verbose_name_plural = "product popularity"
        # The trend streams: outwards from a shopper's trendiness, ties by ascending product key.
        indexes = [
            models.Index(
                F("gender"),
                F("popularity"),
                F("product"),
                condition=Q(is_active=True),
                name="trend_upwards",
            ),
            models.Index(
                F("gender"),
                F("popularity").desc(),
                F("product"),
                condition=Q(is_active=True),
                name="trend_downwards",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.popularity}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Save the base only: a purchase may have been counted since this row was read."""
        if not kwargs.get("force_insert") and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = ("base", "base_is_simulated")
        super().save(*args, **kwargs)
