"""One search by photo."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField

from embeddings.photo_search.querysets import GIVE_UP_AFTER, PhotoSearchQuerySet


class PhotoSearch(models.Model):
    """A photo that somebody searches with, until it expires; its file is in `private_files`."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        RUNNING = "running"
        READY = "ready"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asker = models.CharField(max_length=80, help_text="who may read it, such as user:12")
    photo = models.CharField(max_length=40, help_text="the random name of its private file")
    is_reencoded = models.BooleanField(default=False, help_text="the file is its pixels alone")
    has_map = models.BooleanField(default=False, help_text="a segmentation map came with it")
    crop = models.JSONField(null=True, help_text="left, top, right, bottom as fractions of it")
    backbone = models.ForeignKey("embeddings.Backbone", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    vector = HalfVectorField(null=True)  # L2-normalised, backbone.dimension long
    weights_sha256 = models.CharField(max_length=64, blank=True, help_text="that made the vector")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = PhotoSearchQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="photo_search_expiry")]
        constraints = [
            models.CheckConstraint(
                condition=(Q(state="ready") & Q(vector__isnull=False))
                | (Q(state="failed") & Q(vector__isnull=True) & ~Q(error_code=""))
                | Q(state__in=["waiting", "running"], vector__isnull=True),
                name="photo_search_vector_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id}: {self.state}"

    def is_given_up(self, now: datetime) -> bool:
        """Whether it was to be settled long ago."""
        is_unsettled = self.state in (self.State.WAITING, self.State.RUNNING)
        return is_unsettled and self.created_at <= now - GIVE_UP_AFTER
