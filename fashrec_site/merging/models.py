"""What a merge moved, so that it can be undone."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalog.models import Product
from embeddings.duplicates.models import DuplicatePair


class ProductMerge(models.Model):
    """A product that became another one, and the rows that went over."""

    kept = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    merged = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    pair = models.ForeignKey(
        DuplicatePair, on_delete=models.SET_NULL, null=True, related_name="merges"
    )
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    merged_at = models.DateTimeField()
    purchases = ArrayField(models.BigIntegerField(), default=list, help_text="keys that moved")
    events = ArrayField(models.BigIntegerField(), default=list, help_text="keys that moved")
    rules = ArrayField(
        models.BigIntegerField(), default=list, help_text="keys of pins and boosts that moved"
    )
    earlier = ArrayField(
        models.BigIntegerField(), default=list, help_text="products merged into it before"
    )
    stock = models.JSONField(default=list, help_text="store, moved, kept before and after")
    base = models.PositiveIntegerField(default=0, help_text="base popularity that moved")
    n_purchases_twice = models.PositiveIntegerField(
        default=0, help_text="recorded under both item ids, now once"
    )
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-merged_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=Q(undone_at__isnull=True),
                name="one_standing_merge_each",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.kept_id}"
