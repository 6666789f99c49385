"""Backbones and the embeddings that they make of product photos."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField

from catalog.models import Category, Gender, Product, ProductImage
from embeddings.attributes.models import AttributeSuggestion  # noqa: F401 - for Django
from embeddings.duplicates.models import DuplicatePair, PhotoFingerprint  # noqa: F401 - for Django
from embeddings.photo_search.models import PhotoSearch  # noqa: F401 - for Django
from embeddings.querysets import EmbeddingQuerySet, MaskMethod


class Backbone(models.Model):
    """A network (or descriptor) that turns a photo into a vector, with the weights it runs on."""

    name = models.CharField(max_length=100, unique=True)
    dimension = models.PositiveIntegerField()
    preprocessing = models.JSONField(default=dict)
    weights_sha256 = models.CharField(
        max_length=64, blank=True, help_text="of the weights' file; empty for a descriptor"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(dimension__gte=1, dimension__lte=16000), name="backbone_dimension"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FidelityCheck(models.Model):
    """How faithful a faster way to embed was to the reference, and whether it may be used.

    One row for each backbone, weights, way (runtime and decoding) and circumstances (versions and
    processor): where any of them changes, nothing is known, and the way is measured anew.
    """

    backbone = models.ForeignKey(Backbone, on_delete=models.CASCADE, related_name="checks")
    weights_sha256 = models.CharField(max_length=64)
    way = models.CharField(max_length=60)
    circumstances = models.CharField(max_length=300)
    is_admitted = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, help_text="why it is refused, or what was measured")
    figures = models.JSONField(default=dict, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="processes that began it")
    checked_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["backbone", "weights_sha256", "way", "circumstances"],
                name="one_fidelity_check_each",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.backbone_id} by {self.way}: {'admitted' if self.is_admitted else 'refused'}"


class Embedding(models.Model):
    """One photo seen by one backbone under one mask: a vector, or the reason why there is none.

    Current only while `image_sha256`, `mask_fingerprint` and `weights_sha256` all match the photo,
    its mask and its backbone of today (`EmbeddingQuerySet.current`).
    """

    class State(models.TextChoices):
        """What came of it."""

        STARTED = "started"  # claimed by a process; found unclaimed, that process was lost
        READY = "ready"
        FAILED = "failed"

    image = models.ForeignKey(ProductImage, on_delete=models.CASCADE, related_name="embeddings")
    backbone = models.ForeignKey(Backbone, on_delete=models.CASCADE, related_name="embeddings")
    region = models.CharField(
        max_length=20, default="whole", help_text="the whole photo, or one garment's slot"
    )
    box = ArrayField(
        models.FloatField(),
        size=4,
        null=True,
        blank=True,
        help_text="of the garment: left, top, right, bottom as fractions of the photo",
    )
    mask_method = models.CharField(max_length=20, choices=MaskMethod, help_text="asked for")
    found_by = models.CharField(
        max_length=20,
        choices=MaskMethod,
        blank=True,
        default="",
        db_default="",
        help_text="the method that found the garment; of old rows the one that was asked for",
    )
    state = models.CharField(max_length=10, choices=State)
    error = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    vector = HalfVectorField(null=True, blank=True)  # L2-normalised, backbone.dimension long
    image_sha256 = models.CharField(max_length=64)
    mask_fingerprint = models.CharField(max_length=200, blank=True)
    weights_sha256 = models.CharField(max_length=64, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "region", "backbone", "mask_method"], name="one_embedding_each"
            ),
            models.CheckConstraint(
                condition=Q(state="ready", vector__isnull=False, error="")
                | (Q(state="failed", vector__isnull=True) & ~Q(error=""))
                | Q(state="started", vector__isnull=True, error=""),
                name="embedding_vector_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} by {self.backbone_id} ({self.mask_method}): {self.state}"


class ProductVector(models.Model):
    """The vector that a product is compared by: its primary photo's, one row per backbone.

    This is the table that vector indexes are built on. `gender`, `category` and `is_active` are
    copies that a database trigger keeps equal to the product's.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="vectors")
    backbone = models.ForeignKey(Backbone, on_delete=models.CASCADE, related_name="vectors")
    embedding = models.OneToOneField(Embedding, on_delete=models.CASCADE, related_name="serving")
    vector = HalfVectorField()
    gender = models.CharField(max_length=10, choices=Gender)
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")
    is_active = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["backbone", "product"], name="one_vector_per_product_and_backbone"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} by {self.backbone_id}"


class SearchProjection(models.Model):
    """The axes that shorten a backbone's vectors to what a search index reads.

    Fitted on the catalogue once it is large enough for an index. Search vectors belong to one
    projection, so that a refit stands beside the old one and no query mixes the two.
    """

    backbone = models.ForeignKey(Backbone, on_delete=models.CASCADE, related_name="projections")
    dimension = models.PositiveIntegerField(help_text="of the search vectors")
    n_fitted = models.PositiveIntegerField(help_text="vectors that it was fitted on")
    cosine_error = models.FloatField(
        help_text="by how much a neighbour's cosine may exceed the one of the short vectors"
    )
    is_filled = models.BooleanField(default=False, help_text="every product has its search vector")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.backbone_id}: {self.dimension} dimensions"


class SearchAxis(models.Model):
    """One axis of a projection; there are none where the vectors are short enough as they are."""

    projection = models.ForeignKey(SearchProjection, on_delete=models.CASCADE, related_name="axes")
    position = models.PositiveIntegerField()
    axis = HalfVectorField()  # the backbone's dimension, L2-normalised

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["projection", "position"], name="one_axis_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.projection_id}: axis {self.position}"


class SearchVector(models.Model):
    """What a search reads of a product, in one row: a short vector and all that it filters by.

    A copy, kept by database triggers, of `ProductVector`, the product and its popularity; so the
    database need not check its keys. Rows leave room for a newer version of themselves: counting
    a purchase touches no index entry, least of all one of a vector index (a HOT update).
    """

    projection = models.ForeignKey(
        SearchProjection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="vectors",
    )
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    vector = HalfVectorField()
    gender = models.CharField(max_length=10, choices=Gender)
    category = models.ForeignKey(
        Category, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    is_active = models.BooleanField()
    popularity = models.IntegerField(db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "projection"], name="one_search_vector_per_product"
            ),
        ]
        indexes = [
            models.Index(
                fields=["projection", "gender", "category"],
                condition=Q(is_active=True),
                name="search_filters",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} in {self.projection_id}"
