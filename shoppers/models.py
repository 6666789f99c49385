"""Shoppers, what they bought and did, and how popular that makes each product."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from catalog.models import UNIT_INTERVAL, Gender, Product, within


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


class Event(models.Model):
    """Something short of a purchase that a shopper did with a product."""

    class Kind(models.TextChoices):
        """What happened."""

        VIEW = "view"
        FAVOURITE = "favourite"
        CART = "cart"

    shopper = models.ForeignKey(Shopper, on_delete=models.CASCADE, related_name="events")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind)
    occurred_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["occurred_at", "id"]

    def __str__(self) -> str:
        return f"{self.shopper_id} {self.kind} {self.product_id}"


class ProductPopularity(models.Model):
    """A product's popularity: a stored base plus its counted purchases.

    Every product has exactly one row, made by the database with the product; `counted` is kept by
    triggers on purchases, so it is right after any write, bulk or not. No vector lives here: a
    purchase rewrites this narrow row and never an entry of a vector index.
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

    class Meta:
        verbose_name_plural = "product popularity"
        indexes = [models.Index(fields=["popularity", "product"], name="popularity_then_product")]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.popularity}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Save the base only: a purchase may have been counted since this row was read."""
        if not kwargs.get("force_insert") and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = ("base", "base_is_simulated")
        super().save(*args, **kwargs)
