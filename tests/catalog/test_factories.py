import pytest
from PIL import Image

from tests.factories import ProductImageFactory, StockFactory, photo_bytes

pytestmark = pytest.mark.django_db


def test_photos_differ_and_carry_the_hash_of_their_file():
    first, second = ProductImageFactory(color=(1, 2, 3)), ProductImageFactory(color=(1, 2, 4))
    assert first.sha256 != second.sha256
    with first.image.open() as file, Image.open(file) as photo:
        assert photo.getpixel((0, 0)) == (1, 2, 3)


def test_a_segmentation_map_is_stored_with_its_hash():
    image = ProductImageFactory(segmentation=photo_bytes((0, 0, 0)))
    assert image.segmentation_map.size == len(photo_bytes((0, 0, 0)))
    assert len(image.segmentation_sha256) == 64


def test_stock_makes_its_product_and_store():
    stock = StockFactory()
    assert (stock.quantity, stock.product.images.count(), stock.store.latitude) == (1, 0, 48.2)
