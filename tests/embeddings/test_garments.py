"""One embedding per garment, and products compared by the one of their category."""

import json

import numpy as np
import pytest
from PIL import Image

from embeddings import services
from embeddings.models import Embedding
from tests.embeddings.drawn_photos import as_png
from tests.embeddings.garments.drawn import PALETTE, street_photo
from tests.factories import CategoryFactory, ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def garments(settings, tmp_path):
    file = tmp_path / "palette.json"
    file.write_text(json.dumps(PALETTE))
    settings.FASHREC_SEGMENTATION_PALETTE = file
    settings.FASHREC_GARMENTS = True


@pytest.fixture
def backbone():
    return services.register_backbone(name="color_layout")


def worn(category, *, shirt=(200, 30, 40), without=()):
    """A street photo of shirt and jeans as a product of a category, with its map."""
    photo, labels = street_photo(1, size=(96, 144))
    photo[labels == 2] = shirt
    labels[np.isin(labels, without)] = 0
    colors = np.array(list(PALETTE.values()), np.uint8)[labels]
    product = ProductFactory(category=CategoryFactory(name=category))
    return ProductImageFactory(
        product=product,
        content=as_png(Image.fromarray(photo)),
        segmentation=as_png(Image.fromarray(colors)),
    )


def served_regions():
    return dict(
        Embedding.objects.filter(serving__isnull=False).values_list(
            "image__product__category__name", "region"
        )
    )


def test_a_photo_has_a_row_for_itself_and_one_for_each_garment_with_its_box(backbone):
    image = worn("Jeans")

    summary = services.embed_missing(backbone=backbone)

    assert (summary.n_ready, summary.n_failed) == (1, 0)
    boxes = dict(image.embeddings.values_list("region", "box"))
    assert set(boxes) == {"whole", "top", "bottom"}
    assert boxes["whole"] is None
    assert boxes["top"] == pytest.approx([1 / 3, 0.25, 2 / 3, 0.55], abs=0.02)
    assert boxes["bottom"] == pytest.approx([1 / 3, 0.55, 2 / 3, 0.9], abs=0.02)
    assert set(image.embeddings.values_list("found_by", flat=True)) == {"segmentation_map"}
    assert services.embed_missing(backbone=backbone).n_ready == 0


def test_a_product_is_compared_by_the_garment_of_its_category(backbone):
    for category in ("Jeans", "Shirts", "Dresses", "Watches"):
        worn(category)

    services.embed_missing(backbone=backbone)

    assert served_regions() == {
        "Jeans": "bottom",
        "Shirts": "top",
        "Dresses": "whole",  # the photo shows none
        "Watches": "whole",  # no slot is for them
    }


def test_the_same_jeans_under_another_shirt_are_the_same(backbone):
    worn("Jeans")
    worn("Jeans", shirt=(250, 250, 0))

    services.embed_missing(backbone=backbone)

    _, (first, second) = services.primary_vectors(backbone=backbone)
    assert first @ second > 0.999
    wholes = Embedding.objects.filter(region="whole").values_list("vector", flat=True)
    assert np.dot(*wholes) < 0.95


def test_a_garment_that_is_no_longer_shown_goes_with_its_row(backbone):
    image = worn("Jeans")
    services.embed_missing(backbone=backbone)
    other = worn("Trousers", without=(3,))
    image.segmentation_map = other.segmentation_map
    image.segmentation_sha256 = other.segmentation_sha256
    image.save()

    services.embed_missing(backbone=backbone)

    assert set(image.embeddings.values_list("region", flat=True)) == {"whole", "top"}
    assert served_regions()["Jeans"] == "whole"


def test_turned_off_nothing_but_photos_is_embedded_and_served(backbone, settings):
    settings.FASHREC_GARMENTS = False
    image = worn("Jeans")
    services.embed_missing(backbone=backbone)
    before = image.embeddings.get().mask_fingerprint
    settings.FASHREC_GARMENTS = True

    assert before.count("garments") == 0
    assert Embedding.objects.images_without(backbone).count() == 1


def test_a_searchers_photo_is_compared_by_its_largest_garment():
    from embeddings.photo_search.embedding import PreparedPhoto

    photo, labels = street_photo(1, size=(96, 144))
    classes = np.where(labels == 2, 1, np.where(labels == 3, 2, 0)).astype(np.uint8)
    prepared = PreparedPhoto(Image.fromarray(photo), None, classes)

    square, coverage = prepared.compared()

    assert square.image.size[0] == square.image.size[1] == coverage.shape[0]
    assert (np.asarray(square.image)[coverage > 0] == (30, 40, 160)).all()  # jeans
