"""Questions about embeddings, and about the photos that still lack one."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Concat

from catalog.models import ProductImage
from catalog.querysets import ProductImageQuerySet
from embeddings.garments import finding
from embeddings.mask_settings import (
    finder_settings,
    found_mask_fingerprint,
    map_mask_fingerprint,
)
from embeddings.product_slots import product_slot

if TYPE_CHECKING:
    from embeddings.models import Backbone

WHOLE = "whole"  # the region that every photo has


class MaskMethod(models.TextChoices):
    """How the pixels that are not garment were found and removed.

    `AUTOMATIC` is asked for, and tries the others in this installation's order; what an embedding
    was `found_by` is one of the others.
    """

    SEGMENTATION_MAP = "segmentation_map", "segmentation map"
    AUTOMATIC = "automatic", "what finds a garment first"
    SEGFORMER = finding.SEGFORMER, "SegFormer"
    WHITE_BACKGROUND = finding.WHITE_BACKGROUND, "white background removed"
    PARSER = finding.PARSER, "garment parser"
    GRABCUT = finding.GRABCUT, "GrabCut"
    NONE = "none", "whole photo"


# What a photo's pixels alone give, without a map.
FOUND_METHODS = (MaskMethod.AUTOMATIC, *(MaskMethod(name) for name in finding.FINDERS))


def best_mask_method(image: str = "") -> Case:
    """The mask method by which a photo is compared: its map's where it has one, else this
    installation's order, and the whole photo where that is empty.

    `image` is the path from the queried model to the photo, such as "image__".
    """
    without_map = MaskMethod.AUTOMATIC if finder_settings().methods else MaskMethod.NONE
    return Case(
        When(**{f"{image}segmentation_map": "", "then": Value(without_map)}),
        default=Value(MaskMethod.SEGMENTATION_MAP),
        output_field=models.CharField(),
    )


def mask_fingerprint(mask_method: str, segmentation_sha256: str) -> str:
    """What an embedding's mask was made from; empty for the whole photo."""
    if mask_method == MaskMethod.NONE:
        return ""
    if mask_method in FOUND_METHODS:
        return found_mask_fingerprint(_only(mask_method))
    return f"{map_mask_fingerprint()}:{segmentation_sha256}"


def _only(mask_method: str) -> str | None:
    """The one finder that a method is; None for all in order."""
    return None if mask_method == MaskMethod.AUTOMATIC else mask_method


def _is_found_today() -> Q:
    """Masks found in photos by today's settings; a method that cannot run here has none."""
    finders = finder_settings()
    usable = [m for m in FOUND_METHODS if m != MaskMethod.SEGFORMER or finders.segformer]
    todays = Q(pk__in=[])
    for method in usable:
        todays |= Q(mask_method=method, mask_fingerprint=mask_fingerprint(method, ""))
    return todays


class EmbeddingQuerySet(models.QuerySet):
    """Questions about embeddings."""

    def up_to_date(self) -> Self:
        """Rows, in whatever state, whose photo, mask and weights are those of today."""
        fingerprint = Concat(Value(f"{map_mask_fingerprint()}:"), F("image__segmentation_sha256"))
        by_map = Q(mask_method=MaskMethod.SEGMENTATION_MAP, mask_fingerprint=fingerprint)
        is_todays_mask = (
            Q(mask_method=MaskMethod.NONE, mask_fingerprint="")
            | (by_map & ~Q(image__segmentation_map=""))
            | _is_found_today()
        )
        return self.filter(
            is_todays_mask,
            image_sha256=F("image__sha256"),
            weights_sha256=F("backbone__weights_sha256"),
        )

    def current(self) -> Self:
        """Embeddings to compare by: made, and of today's photo, mask and weights."""
        return self.up_to_date().filter(state="ready")

    def of(self, backbone: "Backbone") -> Self:
        """Whole-photo embeddings by one backbone."""
        return self.filter(backbone=backbone, region=WHOLE)

    def of_primary_photos(self, product_ids: list[int] | None = None) -> Self:
        """Embeddings of the photos by which products (all, or these) are compared."""
        images = ProductImage.objects.all()
        if product_ids is not None:
            images = images.filter(product_id__in=product_ids)
        return self.filter(image__in=images.primary().values("pk"))

    def served(self, backbone: "Backbone", product_ids: list[int] | None = None) -> Self:
        """What products are to be compared by: their primary photo's, by its best mask method.

        With FASHREC_GARMENTS it is of the garment that matches the product's category, where the
        photo shows one.
        """
        best = (
            self.current()
            .filter(backbone=backbone)
            .of_primary_photos(product_ids)
            .filter(mask_method=best_mask_method("image__"))
        )
        if not settings.FASHREC_GARMENTS:
            return best.filter(region=WHOLE)
        own = self.model.objects.current().filter(
            backbone=backbone,
            image=OuterRef("image"),
            mask_method=OuterRef("mask_method"),
            region=OuterRef("slot"),
        )
        best = best.alias(slot=product_slot("image__product__category__"))
        return best.filter(Q(region=F("slot")) | (Q(region=WHOLE) & ~Exists(own)))

    def images_without(
        self, backbone: "Backbone", mask_method: str | None = None
    ) -> ProductImageQuerySet:
        """Active photos with neither a current embedding nor a failure, ascending.

        They carry `mask_method`: the given one, or with None the best for each photo. Photos
        without a segmentation map are left out where that method is asked for.
        """
        images = ProductImage.objects.active().order_by("pk")
        if mask_method == MaskMethod.SEGMENTATION_MAP:
            images = images.exclude(segmentation_map="")
        images = images.annotate(
            mask_method=Value(mask_method) if mask_method else best_mask_method()
        )
        settled = self.up_to_date().of(backbone).exclude(state="started")
        settled = settled.filter(image=OuterRef("pk"), mask_method=OuterRef("mask_method"))
        return images.filter(~Exists(settled))

    def lost(self) -> Self:
        """Rows whose process may have died over them: claimed and not finished."""
        return self.up_to_date().filter(state="started", attempts__gte=1)
