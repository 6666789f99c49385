"""What a search for duplicates has still to do: a question about rows, whoever stopped half-way."""

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import MD5, Cast, Concat

from embeddings.duplicates.fingerprints import VERSION as FINGERPRINT
from embeddings.duplicates.likeness import VERSION as LIKENESS
from embeddings.duplicates.models import PhotoFingerprint
from embeddings.models import Backbone, ProductVector


def compared_products(backbone: Backbone) -> QuerySet[ProductVector]:
    """The vectors of products on sale, with `image_id` and what they would be `compared_as` now."""
    parts = (
        Value(f"{FINGERPRINT} {LIKENESS}"),
        Cast("backbone_id", CharField()),
        F("embedding__image_sha256"),
        F("embedding__mask_fingerprint"),
        F("embedding__weights_sha256"),
    )
    spaced = [piece for part in parts for piece in (part, Value(" "))]
    return ProductVector.objects.filter(backbone=backbone, is_active=True).annotate(
        image_id=F("embedding__image_id"), compared_as=MD5(Concat(*spaced))
    )


def without_fingerprint(backbone: Backbone) -> QuerySet[ProductVector]:
    """Those whose photo has none, or one of the photo that was there before."""
    known = PhotoFingerprint.objects.filter(
        image=OuterRef("embedding__image"), image_sha256=OuterRef("embedding__image__sha256")
    )
    return compared_products(backbone).filter(~Exists(known))


def count_waiting(backbone: Backbone) -> tuple[int, int]:
    """How many products are compared at all, and how many of them wait for it. One query."""
    done = PhotoFingerprint.objects.filter(
        image=OuterRef("embedding__image"), compared_as=OuterRef("compared_as")
    )
    # Annotated first: in an aggregate's own filter, Django loses what the reference stands for.
    products = compared_products(backbone).annotate(is_waiting=~Exists(done))
    counts = products.aggregate(
        n_products=Count("pk"), n_waiting=Count("pk", filter=Q(is_waiting=True))
    )
    return counts["n_products"], counts["n_waiting"]


def not_compared(backbone: Backbone) -> QuerySet[ProductVector]:
    """Those that are new, or were compared as something else."""
    done = PhotoFingerprint.objects.filter(
        image=OuterRef("embedding__image"), compared_as=OuterRef("compared_as")
    )
    return compared_products(backbone).filter(~Exists(done))
