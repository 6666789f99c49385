"""What photos are recognised by, and the pairs of products that may be one."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from pgvector.django import BitField, HnswIndex

from catalog.models import Product, ProductImage
from embeddings.duplicates.fingerprints import COLOR_VALUES, N_BITS
from embeddings.duplicates.querysets import DuplicatePairQuerySet


class PhotoFingerprint(models.Model):
    """A product's primary photo as a perceptual hash and a few colours; how it was compared last.

    Stale where `image_sha256` is no longer the photo's. `compared_as` names what the photo was
    compared as, its vector included: where that changed, the product has to be looked at again.
    """

    image = models.OneToOneField(
        ProductImage, on_delete=models.CASCADE, primary_key=True, related_name="fingerprint"
    )
    image_sha256 = models.CharField(max_length=64)
    bits = BitField(length=N_BITS)
    colors = models.BinaryField(max_length=COLOR_VALUES)
    compared_as = models.CharField(max_length=32, blank=True)

    class Meta:
        indexes = [
            HnswIndex(name="fingerprint_bits", fields=["bits"], opclasses=["bit_hamming_ops"]),
        ]

    def __str__(self) -> str:
        return f"fingerprint of photo {self.image_id}"


class DuplicatePair(models.Model):
    """Two products that may be the same article, and what somebody decided about them.

    Stored once: `a` is the one with the smaller key. A decision is remembered for good: the pair
    never comes into the queue again, whatever the photos become.
    """

    class Decision(models.TextChoices):
        """What became of it."""

        OPEN = "open"
        MERGED = "merged"
        DISTINCT = "distinct", "not a duplicate"
        HIDDEN = "hidden", "one hidden"

    a = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    b = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    likeness = models.FloatField(help_text="0 at the threshold, 1 for the same photo")
    cosine = models.FloatField(help_text="of the photos' vectors")
    n_bits = models.PositiveSmallIntegerField(help_text="in which the photos' hashes differ")
    color_distance = models.FloatField(help_text="mean distance in CIE L*a*b*")
    found_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision, default=Decision.OPEN)
    hidden = models.ForeignKey(
        Product, on_delete=models.SET_NULL, null=True, related_name="+", help_text="taken off sale"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    objects = DuplicatePairQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["-likeness", "id"],
                condition=Q(decision="open"),
                name="duplicate_to_decide",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["a", "b"], name="one_duplicate_pair_each"),
            models.CheckConstraint(condition=Q(a__lt=F("b")), name="duplicate_pair_in_key_order"),
            models.CheckConstraint(
                condition=Q(decision="open", decided_at__isnull=True)
                | (~Q(decision="open") & Q(decided_at__isnull=False)),
                name="duplicate_decided_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.a_id} and {self.b_id}: {self.decision}"
