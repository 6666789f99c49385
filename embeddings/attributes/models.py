"""What a photo says of its product, until a curator takes it or not."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.models import Product


class AttributeSuggestion(models.Model):
    """One label that a fine-tuned backbone would give a product; one per product and label.

    A dismissed one comes back only with another value.
    """

    class Label(models.TextChoices):
        """What of a product can be told."""

        CATEGORY = "category"
        COLOR = "color"
        GENDER = "gender"
        SEASON = "season"
        USAGE = "usage"

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="suggestions")
    label = models.CharField(max_length=10, choices=Label)
    value = models.CharField(max_length=100)
    confidence = models.FloatField(help_text="how often such a suggestion is right, 0 to 1")
    current = models.CharField(
        max_length=100, blank=True, help_text="what the product had when this was suggested"
    )
    backbone = models.ForeignKey("Backbone", on_delete=models.CASCADE, related_name="suggestions")
    weights_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    suggested_at = models.DateTimeField(auto_now=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-confidence", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["product", "label"], name="one_suggestion_per_label"),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="suggestion_confidence"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-confidence", "id"], name="suggestion_list"),
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.product_id}: {self.value} ({self.confidence:.2f})"
