"""Which embeddings are current, and which photos still lack one."""

import pytest

from catalog.models import ProductImage
from embeddings.models import Embedding
from embeddings.querysets import MaskMethod
from tests.embeddings.drawn_photos import map_with_garment
from tests.factories import (
    BackboneFactory,
    EmbeddingFactory,
    ProductFactory,
    ProductImageFactory,
)

pytestmark = pytest.mark.django_db


def test_an_embedding_of_todays_photo_mask_and_weights_is_current():
    embedding = EmbeddingFactory(image__segmentation=map_with_garment())

    assert list(Embedding.objects.current()) == [embedding]
    assert not Embedding.objects.images_without(embedding.backbone).exists()


def change_photo(embedding):
    ProductImage.objects.filter(pk=embedding.image_id).update(sha256="f" * 64)


def change_map(embedding):
    ProductImage.objects.filter(pk=embedding.image_id).update(segmentation_sha256="f" * 64)


def remove_map(embedding):
    ProductImage.objects.filter(pk=embedding.image_id).update(
        segmentation_map="", segmentation_sha256=""
    )


def change_weights(embedding):
    embedding.backbone.weights_sha256 = "f" * 64
    embedding.backbone.save()


@pytest.mark.parametrize("change", [change_photo, change_map, remove_map, change_weights])
def test_a_change_makes_the_embedding_stale_and_the_photo_missing(change):
    embedding = EmbeddingFactory(image__segmentation=map_with_garment())

    change(embedding)

    assert not Embedding.objects.current().exists()
    missing = Embedding.objects.images_without(embedding.backbone)
    assert list(missing) == [embedding.image]


def test_a_change_of_the_palette_makes_masked_embeddings_stale_and_no_others(settings, tmp_path):
    masked = EmbeddingFactory(image__segmentation=map_with_garment())
    whole = EmbeddingFactory(backbone=masked.backbone)
    palette = tmp_path / "palette.json"
    palette.write_text('{"null": [0, 0, 0], "shirt": [165, 107, 87]}')

    settings.FASHREC_SEGMENTATION_PALETTE = palette

    assert list(Embedding.objects.current()) == [whole]


def test_a_photo_is_missing_once_per_backbone_and_mask_method():
    embedding = EmbeddingFactory(image__segmentation=map_with_garment())
    other = BackboneFactory()

    by_map, whole = MaskMethod.SEGMENTATION_MAP, MaskMethod.NONE
    assert not Embedding.objects.images_without(embedding.backbone, by_map).exists()
    assert Embedding.objects.images_without(embedding.backbone, whole).get().mask_method == whole
    assert Embedding.objects.images_without(other).get().mask_method == by_map


def test_photos_without_a_map_are_not_asked_for_one():
    ProductImageFactory()

    missing = Embedding.objects.images_without(BackboneFactory(), MaskMethod.SEGMENTATION_MAP)

    assert not missing.exists()


def test_photos_of_inactive_products_and_failed_photos_are_not_missing():
    backbone = BackboneFactory()
    ProductImageFactory(product__is_active=False)
    EmbeddingFactory(backbone=backbone, state="failed", error="truncated", vector=None)
    begun = EmbeddingFactory(backbone=backbone, state="started", attempts=1, vector=None)

    assert list(Embedding.objects.images_without(backbone)) == [begun.image]


def test_what_is_missing_takes_one_query(django_assert_num_queries):
    backbone = BackboneFactory()
    ProductImageFactory.create_batch(3)

    with django_assert_num_queries(1):
        assert len(Embedding.objects.images_without(backbone)) == 3


def test_a_product_is_served_by_its_primary_photo_with_the_mask_that_it_has():
    product, backbone = ProductFactory(), BackboneFactory()
    front = ProductImageFactory(product=product, view="front", segmentation=map_with_garment())
    back = ProductImageFactory(product=product, view="back")
    EmbeddingFactory(image=back, backbone=backbone)
    EmbeddingFactory(image=front, backbone=backbone, mask_method=MaskMethod.NONE)
    masked = EmbeddingFactory(image=front, backbone=backbone)

    assert list(Embedding.objects.served(backbone)) == [masked]
    assert list(Embedding.objects.served(backbone, [product.pk + 1])) == []
