"""What the database itself keeps true of product vectors."""

import pytest

from embeddings.models import ProductVector
from tests.factories import CategoryFactory, ProductVectorFactory

pytestmark = pytest.mark.django_db


def test_a_vectors_copies_follow_the_product():
    vector, category = ProductVectorFactory(), CategoryFactory()
    product = vector.product
    product.gender, product.category, product.is_active = "MEN", category, False

    product.save()

    vector.refresh_from_db()
    assert (vector.gender, vector.category, vector.is_active) == ("MEN", category, False)


@pytest.mark.parametrize("changed", ["sha256", "segmentation_sha256"])
def test_a_changed_photo_or_map_leaves_no_vector_to_be_served_by(changed):
    vector, other = ProductVectorFactory.create_batch(2)
    image = vector.embedding.image
    setattr(image, changed, "e" * 64)
    if changed == "segmentation_sha256":
        image.segmentation_map = "map.png"

    image.save()

    assert list(ProductVector.objects.all()) == [other]


def test_a_deleted_product_takes_its_vector_along():
    vector, other = ProductVectorFactory.create_batch(2)

    vector.product.delete()

    assert list(ProductVector.objects.all()) == [other]
