"""Masks found in photos, from the setting to the stored embedding."""

import io

import numpy as np
import pytest
from PIL import Image

from embeddings import services
from embeddings.models import Embedding
from embeddings.querysets import MaskMethod, mask_fingerprint
from tests.embeddings.drawn_photos import as_png, map_with_garment, photo_of
from tests.embeddings.garments.drawn import packshot
from tests.factories import ProductImageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def backbone():
    return services.register_backbone(name="color_layout")


def png(photo):
    return as_png(Image.fromarray(photo))


def test_an_embedding_says_which_method_found_its_garment(backbone, settings):
    settings.FASHREC_MASKS = ["white_background"]
    shot, street = packshot(40)[0], np.full((60, 40, 3), 90, np.uint8)
    street[20:40, 10:30] = 200
    mapped = ProductImageFactory(content=photo_of(1), segmentation=map_with_garment())
    found, whole = (ProductImageFactory(content=png(photo)) for photo in (shot, street))

    summary = services.embed_missing(backbone=backbone)

    assert (summary.n_ready, summary.n_failed) == (3, 0)
    rows = {row.image_id: (row.mask_method, row.found_by) for row in Embedding.objects.all()}
    assert rows == {
        mapped.pk: ("segmentation_map", "segmentation_map"),
        found.pk: ("automatic", "white_background"),
        whole.pk: ("automatic", "none"),
    }
    assert len(services.primary_vectors(backbone=backbone)[0]) == 3


def test_a_found_mask_gives_the_vector_that_the_same_map_gives(backbone, settings):
    shot, mask = packshot(40)
    colors = np.where(mask[..., None], np.uint8([165, 107, 87]), np.uint8(0))
    ProductImageFactory(content=png(shot))
    ProductImageFactory(content=png(shot), segmentation=png(colors))
    settings.FASHREC_MASKS = ["white_background"]

    services.embed_missing(backbone=backbone)

    _, (found, by_map) = services.primary_vectors(backbone=backbone)
    assert found @ by_map > 0.99


def test_nothing_is_looked_for_by_default_and_a_new_order_embeds_only_photos_without_a_map(
    backbone, settings
):
    images = [
        ProductImageFactory(content=photo_of(1), segmentation=map_with_garment()),
        ProductImageFactory(content=photo_of(2)),
    ]
    services.embed_missing(backbone=backbone)
    before = set(Embedding.objects.values_list("image_id", "mask_method"))
    settings.FASHREC_MASKS = ["grabcut"]

    missing = Embedding.objects.images_without(backbone)

    assert before == {(images[0].pk, "segmentation_map"), (images[1].pk, "none")}
    assert [(image.pk, image.mask_method) for image in missing] == [(images[1].pk, "automatic")]
    first = mask_fingerprint(MaskMethod.AUTOMATIC, "")
    settings.FASHREC_MASKS = ["white_background", "grabcut"]
    assert mask_fingerprint(MaskMethod.AUTOMATIC, "") != first


def test_one_method_can_be_asked_for_beside_the_served_vectors(backbone):
    image = ProductImageFactory(content=png(packshot(40)[0]))
    services.embed_missing(backbone=backbone)

    services.embed_missing(backbone=backbone, mask_method=MaskMethod.WHITE_BACKGROUND)

    assert set(image.embeddings.values_list("mask_method", "found_by")) == {
        ("none", "none"),
        ("white_background", "white_background"),
    }
    assert image.product.vectors.get().embedding.mask_method == "none"


def test_settings_that_cannot_work_are_told_by_the_check(settings):
    from embeddings.checks import check_masks

    assert check_masks(None) == []
    settings.FASHREC_MASKS = ["parser", "magic"]
    (error,) = check_masks(None)
    assert (error.id, error.msg) == (
        "embeddings.E003",
        "FASHREC_MASKS: expected any of segformer, white_background, parser, grabcut, got magic",
    )
    settings.FASHREC_MASKS = ["segformer"]
    (error,) = check_masks(None)
    assert error.msg == "FASHREC_MASKS lists segformer: name its folder by FASHREC_SEGFORMER"


def test_a_searchers_photo_is_masked_as_products_photos_are(settings):
    from embeddings.photo_search.embedding import PreparedPhoto, _with_found_garments

    shot, mask = packshot(40)
    photo = PreparedPhoto(Image.open(io.BytesIO(png(shot))))
    settings.FASHREC_MASKS = ["white_background"]

    found = _with_found_garments(photo)

    assert ((found.coverage > 0) == mask).mean() > 0.99
    assert found.cropped((0, 0, 16, 16)).whole_where_nothing_shows().coverage is None
    assert found.cropped((60, 60, 120, 120)).whole_where_nothing_shows().coverage is not None
